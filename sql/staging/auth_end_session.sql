-- Signs out: every refresh token of session $1 is void.
update auth.stage_refresh_tokens set revoked = true where session_id = $1;
