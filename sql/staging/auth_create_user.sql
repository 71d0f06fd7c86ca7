-- A new account ($1 id, $2 e-mail, $3 password hash, $4 confirmed, $5 user metadata). No row: the e-mail is taken.
insert into auth.users (
  instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, confirmation_token, recovery_token,
  email_change_token_new, email_change, raw_app_meta_data, raw_user_meta_data, created_at, updated_at
)
values (
  '00000000-0000-0000-0000-000000000000', $1, 'authenticated', 'authenticated', $2, $3,
  case when $4 then now() end, '', '', '', '', '{"provider": "email", "providers": ["email"]}', $5, now(), now()
)
on conflict do nothing
returning id, email, email_confirmed_at, last_sign_in_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at;
