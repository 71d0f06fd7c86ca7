-- Changes account $1: e-mail $2, password hash $3, user metadata $4; null leaves as it is.
update auth.users
set email = coalesce($2, email),
    encrypted_password = coalesce($3, encrypted_password),
    raw_user_meta_data = coalesce($4, raw_user_meta_data),
    updated_at = now()
where id = $1
returning id, email, email_confirmed_at, last_sign_in_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at;
