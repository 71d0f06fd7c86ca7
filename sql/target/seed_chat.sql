-- A chat of a run: $1 id, $2 type, $3 name (as in count_chats.sql, so that clean finds it), $4 who created it.
insert into public.chats (id, type, name, created_by) values ($1, $2, $3, $4);
