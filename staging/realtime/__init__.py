"""Supabase Realtime, as far as a chat uses it: Phoenix channels, broadcast, and changes of the database.

`Realtime(stage).routes()` are mounted by the server; `Realtime(stage).run()` runs beside it.
"""

from staging.realtime.service import Realtime

__all__ = ["Realtime"]
