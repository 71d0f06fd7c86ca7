-- Removes the app's accounts of these people ($1: array of ids).
delete from public.accounts where id = any ($1::uuid[]);
