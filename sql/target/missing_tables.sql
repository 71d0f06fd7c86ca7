-- Which of the app's tables are not there: the schema that the migrations build on.
select t.name
from unnest(array['accounts', 'chats', 'chat_participants', 'chat_messages', 'message_reactions', 'attachments'])
  with ordinality as t (name, place)
where to_regclass('public.' || t.name) is null
order by t.place;
