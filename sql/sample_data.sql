-- Two people, a direct chat between them, and two messages. For trying things out by hand; safe to run again.
--     psql -v ON_ERROR_STOP=1 -f sql/sample_data.sql
-- The two people have no password, so nobody can sign in as them; `chatsoak seed` makes people who can.

begin;

-- Supabase Auth reads these token columns into plain strings: with NULL in them, listing users or signing in fails.
insert into auth.users (
  instance_id, id, aud, role, email, encrypted_password,
  confirmation_token, recovery_token, email_change_token_new, email_change,
  raw_app_meta_data, raw_user_meta_data, created_at, updated_at
) values
  ('00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000001', 'authenticated', 'authenticated',
   'test1@example.com', '', '', '', '', '', '{"provider": "email", "providers": ["email"]}', '{}', now(), now()),
  ('00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000002', 'authenticated', 'authenticated',
   'test2@example.com', '', '', '', '', '', '{"provider": "email", "providers": ["email"]}', '{}', now(), now())
on conflict (id) do nothing;

insert into public.accounts (id, name, email) values
  ('00000000-0000-0000-0000-000000000001', 'Test User 1', 'test1@example.com'),
  ('00000000-0000-0000-0000-000000000002', 'Test User 2', 'test2@example.com')
on conflict (id) do nothing;

insert into public.chats (id, type, created_by) values
  ('00000000-0000-0000-0000-000000000001', 'direct', '00000000-0000-0000-0000-000000000001')
on conflict (id) do nothing;

insert into public.chat_participants (chat_id, user_id) values
  ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001'),
  ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002')
on conflict (chat_id, user_id) do nothing;

insert into public.chat_messages (id, chat_id, sender_id, message_text) values
  ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001',
   '00000000-0000-0000-0000-000000000001', 'Hello from staging!'),
  ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001',
   '00000000-0000-0000-0000-000000000002', 'Hi! Testing reply.')
on conflict (id) do nothing;

commit;
