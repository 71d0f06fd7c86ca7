-- Fault: message $1 is stored under the name of another participant of its chat.
update public.chat_messages m
set sender_id = (
  select p.user_id from public.chat_participants p
  where p.chat_id = m.chat_id and p.user_id <> m.sender_id
  order by p.user_id limit 1
)
where m.id = $1;
