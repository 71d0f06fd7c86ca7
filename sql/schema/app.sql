-- The chat app's schema as it stands BEFORE the three migrations.
-- Needs what every Supabase project has (see supabase_furniture.sql). Idempotent.
--
-- Who may do what (role `authenticated`; `anon` may nothing, `service_role` bypasses row level security):
--   accounts           read: oneself and those one shares a chat with; write: oneself
--   chats              read, rename: participants; create: as oneself
--   chat_participants  read: participants of the same chat; add: see may_add_participant(); leave: oneself
--   chat_messages      read: participants; write, edit, delete: participants, their own messages
--   message_reactions  read: whoever reads the message; add, remove: one's own
--   attachments        read: whoever reads the message; add, remove: the message's sender

create table if not exists public.accounts (
  id uuid primary key references auth.users (id) on delete cascade,
  name text not null,
  email text not null
);

create table if not exists public.chats (
  id uuid primary key default gen_random_uuid(),
  type text not null check (type in ('direct', 'group')),
  name text,
  created_by uuid references public.accounts (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_message_at timestamptz
);

create table if not exists public.chat_participants (
  id uuid primary key default gen_random_uuid(),
  chat_id uuid not null references public.chats (id) on delete cascade,
  user_id uuid not null references public.accounts (id) on delete cascade,
  joined_at timestamptz not null default now(),
  last_read_at timestamptz,
  unique (chat_id, user_id)
);

create table if not exists public.chat_messages (
  id uuid primary key default gen_random_uuid(),
  chat_id uuid not null references public.chats (id) on delete cascade,
  sender_id uuid not null references public.accounts (id) on delete cascade,
  message_text text,
  message_type text not null default 'text',
  reply_to_message_id uuid references public.chat_messages (id) on delete set null,
  media_urls text[],
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table if not exists public.message_reactions (
  id uuid primary key default gen_random_uuid(),
  message_id uuid not null references public.chat_messages (id) on delete cascade,
  user_id uuid not null references public.accounts (id) on delete cascade,
  emoji text not null,
  created_at timestamptz not null default now(),
  unique (message_id, user_id, emoji)
);

create table if not exists public.attachments (
  id uuid primary key default gen_random_uuid(),
  message_id uuid not null references public.chat_messages (id) on delete cascade,
  file_name text not null,
  mime_type text,
  size_bytes bigint,
  storage_path text,
  created_at timestamptz not null default now()
);

create index if not exists idx_chats_created_by on public.chats (created_by);
create index if not exists idx_chat_participants_user_id on public.chat_participants (user_id);
create index if not exists idx_chat_messages_chat_id_created_at on public.chat_messages (chat_id, created_at desc);
create index if not exists idx_chat_messages_sender_id on public.chat_messages (sender_id);
-- Without it, deleting one message reads all of them, to find its replies.
create index if not exists idx_chat_messages_reply_to on public.chat_messages (reply_to_message_id)
  where reply_to_message_id is not null;
create index if not exists idx_message_reactions_user_id on public.message_reactions (user_id);
create index if not exists idx_attachments_message_id on public.attachments (message_id);

-- Membership. A policy that read chat_participants itself would run that table's own policy, which reads
-- chat_participants, and so on without end; these functions read it as their owner. They answer about the
-- caller alone, so that calling one as an rpc tells nobody anything about somebody else.

create or replace function public.is_chat_participant(p_chat_id uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select from public.chat_participants p where p.chat_id = p_chat_id and p.user_id = auth.uid()
  )
$$;

create or replace function public.shares_chat_with(p_account_id uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select from public.chat_participants mine
    join public.chat_participants theirs on theirs.chat_id = mine.chat_id
    where mine.user_id = auth.uid() and theirs.user_id = p_account_id
  )
$$;

-- A chat that the caller has created and that nobody is in yet.
create or replace function public.is_own_empty_chat(p_chat_id uuid, p_created_by uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select p_created_by = auth.uid()
    and not exists (select from public.chat_participants p where p.chat_id = p_chat_id)
$$;

-- Groups grow by any participant. A direct chat is filled by whoever created it, up to two people.
-- Somebody who created a chat and has left it is an outsider like any other.
create or replace function public.may_add_participant(p_chat_id uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select from public.chats c
    cross join lateral (
      select count(*) as people, count(*) filter (where p.user_id = auth.uid()) as me
      from public.chat_participants p where p.chat_id = c.id
    ) now_in
    where c.id = p_chat_id
      and case
        when now_in.people = 0 then c.created_by = auth.uid()
        when c.type = 'group' then now_in.me = 1
        else c.created_by = auth.uid() and now_in.me = 1 and now_in.people < 2
      end
  )
$$;

revoke all on function public.is_chat_participant(uuid) from public, anon;
revoke all on function public.shares_chat_with(uuid) from public, anon;
revoke all on function public.is_own_empty_chat(uuid, uuid) from public, anon;
revoke all on function public.may_add_participant(uuid) from public, anon;
grant execute on function public.is_chat_participant(uuid) to authenticated, service_role;
grant execute on function public.shares_chat_with(uuid) to authenticated, service_role;
grant execute on function public.is_own_empty_chat(uuid, uuid) to authenticated, service_role;
grant execute on function public.may_add_participant(uuid) to authenticated, service_role;

-- Policies decide about rows; these grants decide about columns.
revoke update on public.chats, public.chat_participants from anon, authenticated;
grant update (name, updated_at, last_message_at) on public.chats to authenticated;
grant update (last_read_at) on public.chat_participants to authenticated;

alter table public.accounts enable row level security;
alter table public.chats enable row level security;
alter table public.chat_participants enable row level security;
alter table public.chat_messages enable row level security;
alter table public.message_reactions enable row level security;
alter table public.attachments enable row level security;

drop policy if exists accounts_select on public.accounts;
create policy accounts_select on public.accounts for select to authenticated
  using (id = (select auth.uid()) or public.shares_chat_with(id));
drop policy if exists accounts_insert on public.accounts;
create policy accounts_insert on public.accounts for insert to authenticated
  with check (id = (select auth.uid()));
drop policy if exists accounts_update on public.accounts;
create policy accounts_update on public.accounts for update to authenticated
  using (id = (select auth.uid())) with check (id = (select auth.uid()));

drop policy if exists chats_select on public.chats;
create policy chats_select on public.chats for select to authenticated
  using (public.is_chat_participant(id) or public.is_own_empty_chat(id, created_by));
drop policy if exists chats_insert on public.chats;
create policy chats_insert on public.chats for insert to authenticated
  with check (created_by = (select auth.uid()));
drop policy if exists chats_update on public.chats;
create policy chats_update on public.chats for update to authenticated
  using (public.is_chat_participant(id)) with check (public.is_chat_participant(id));

drop policy if exists chat_participants_select on public.chat_participants;
create policy chat_participants_select on public.chat_participants for select to authenticated
  -- One's own row by itself as well: in the statement that adds it, the function does not see it yet.
  using (user_id = (select auth.uid()) or public.is_chat_participant(chat_id));
drop policy if exists chat_participants_insert on public.chat_participants;
create policy chat_participants_insert on public.chat_participants for insert to authenticated
  with check (public.may_add_participant(chat_id));
drop policy if exists chat_participants_update on public.chat_participants;
create policy chat_participants_update on public.chat_participants for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
drop policy if exists chat_participants_delete on public.chat_participants;
create policy chat_participants_delete on public.chat_participants for delete to authenticated
  using (user_id = (select auth.uid()));

drop policy if exists chat_messages_select on public.chat_messages;
create policy chat_messages_select on public.chat_messages for select to authenticated
  using (public.is_chat_participant(chat_id));
drop policy if exists chat_messages_insert on public.chat_messages;
create policy chat_messages_insert on public.chat_messages for insert to authenticated
  with check (sender_id = (select auth.uid()) and public.is_chat_participant(chat_id));
drop policy if exists chat_messages_update on public.chat_messages;
create policy chat_messages_update on public.chat_messages for update to authenticated
  using (sender_id = (select auth.uid()) and public.is_chat_participant(chat_id))
  with check (sender_id = (select auth.uid()) and public.is_chat_participant(chat_id));
drop policy if exists chat_messages_delete on public.chat_messages;
create policy chat_messages_delete on public.chat_messages for delete to authenticated
  using (sender_id = (select auth.uid()) and public.is_chat_participant(chat_id));

-- What hangs on a message follows the message: these subqueries run under the caller's own rights.
drop policy if exists message_reactions_select on public.message_reactions;
create policy message_reactions_select on public.message_reactions for select to authenticated
  using (exists (select from public.chat_messages m where m.id = message_id));
drop policy if exists message_reactions_insert on public.message_reactions;
create policy message_reactions_insert on public.message_reactions for insert to authenticated
  with check (user_id = (select auth.uid()) and exists (select from public.chat_messages m where m.id = message_id));
drop policy if exists message_reactions_delete on public.message_reactions;
create policy message_reactions_delete on public.message_reactions for delete to authenticated
  using (user_id = (select auth.uid()));

drop policy if exists attachments_select on public.attachments;
create policy attachments_select on public.attachments for select to authenticated
  using (exists (select from public.chat_messages m where m.id = message_id));
drop policy if exists attachments_insert on public.attachments;
create policy attachments_insert on public.attachments for insert to authenticated
  with check (exists (
    select from public.chat_messages m where m.id = message_id and m.sender_id = (select auth.uid())
  ));
drop policy if exists attachments_delete on public.attachments;
create policy attachments_delete on public.attachments for delete to authenticated
  using (exists (
    select from public.chat_messages m where m.id = message_id and m.sender_id = (select auth.uid())
  ));
