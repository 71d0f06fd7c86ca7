-- What this role may not see of the server's figures, and the right that it lacks. No row: it may see everything.
select part, why
from (values
  ('activity of others', 'pg_read_all_stats',
   'what other sessions do, and since when, is hidden: grant pg_monitor to the role of DATABASE_URL'),
  ('statements of others', 'pg_read_all_stats',
   'texts of other roles'' statements are hidden: grant pg_monitor to the role of DATABASE_URL')
) as lacking (part, role, why)
where not pg_has_role(current_user, lacking.role, 'usage');
