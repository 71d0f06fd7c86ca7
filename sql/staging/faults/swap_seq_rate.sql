-- Fault: message $1 and the one before it swap their seq. Needs swap_seq_rate_prepare.sql.
update public.chat_messages m
set seq = pair.low + pair.high - m.seq
from (
  select later.chat_id, later.seq as high, later.seq - 1 as low
  from public.chat_messages later
  join public.chat_messages earlier on earlier.chat_id = later.chat_id and earlier.seq = later.seq - 1
  where later.id = $1
) pair
where m.chat_id = pair.chat_id and m.seq in (pair.low, pair.high);
