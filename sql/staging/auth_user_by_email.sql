-- The account with e-mail $1, to check a password against.
select id, email, encrypted_password, email_confirmed_at, last_sign_in_at, raw_app_meta_data, raw_user_meta_data,
  created_at, updated_at
from auth.users
where email = lower($1) and not is_sso_user;
