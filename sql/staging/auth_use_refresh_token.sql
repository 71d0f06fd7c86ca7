-- Uses up refresh token $1: one row comes back, once.
update auth.stage_refresh_tokens set revoked = true
where token = $1 and not revoked
returning user_id, session_id;
