-- The app's account of a person: $1 id, $2 name, $3 e-mail. One that is there stays as it is.
insert into public.accounts (id, name, email) values ($1, $2, $3) on conflict (id) do nothing;
