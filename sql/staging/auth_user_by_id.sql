-- The account with id $1.
select id, email, email_confirmed_at, last_sign_in_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at
from auth.users
where id = $1;
