-- A page of all accounts, oldest first: $1 rows at most, after $2 rows.
select id, email, email_confirmed_at, last_sign_in_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at
from auth.users
order by created_at, id
limit $1 offset $2;
