-- What the embedded staging environment keeps beside the app's schema. Idempotent. Never run it on a real project:
-- Supabase Auth has tables of its own for this.

create extension if not exists pg_stat_statements;

-- Refresh tokens rotate: each is good for one use, as Supabase Auth does by default.
create table if not exists auth.stage_refresh_tokens (
  token text primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  session_id uuid not null,
  revoked boolean not null default false,
  created_at timestamptz not null default now()
);

create index if not exists idx_stage_refresh_tokens_session on auth.stage_refresh_tokens (session_id);
