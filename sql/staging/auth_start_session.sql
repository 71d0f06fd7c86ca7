-- A refresh token $1 for user $2 in session $3; notes the sign-in.
with token as (
  insert into auth.stage_refresh_tokens (token, user_id, session_id) values ($1, $2, $3)
)
update auth.users set last_sign_in_at = now() where id = $2;
