-- Fault: without its check constraints, the database takes any status.
do $$
declare
  v_name name;
begin
  for v_name in
    select conname from pg_constraint
    where conrelid = 'public.chat_messages'::regclass and contype = 'c'
      and pg_get_constraintdef(oid) like '%status%'
  loop
    execute format('alter table public.chat_messages drop constraint %I', v_name);
  end loop;
end
$$;
