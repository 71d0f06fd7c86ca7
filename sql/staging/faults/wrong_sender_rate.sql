-- Fault: message $1 is stored under the name of another participant of its chat, where there is one.
update public.chat_messages m
set sender_id = other.user_id
from (
  select p.chat_id, p.user_id
  from public.chat_participants p
  join public.chat_messages sent on sent.chat_id = p.chat_id and p.user_id <> sent.sender_id
  where sent.id = $1
  order by p.user_id
  limit 1
) other
where m.id = $1;
