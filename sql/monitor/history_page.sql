-- A page of a chat's history, as the app reads it: $1 the chat (uuid), $2 an exclusive upper bound of seq (bigint),
-- $3 at most so many messages (integer). The monitor explains it; nobody reads the answer.
-- In psql: end with  \bind '…' 9223372036854775807 50 \g  in place of the semicolon.
select * from public.chat_messages
where chat_id = $1 and seq < $2
order by seq desc
limit $3;
