-- Deletes account $1.
delete from auth.users where id = $1 returning id;
