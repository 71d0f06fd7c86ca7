"""Why somebody could not begin."""


class CannotSignIn(Exception):  # noqa: N818 - reads as what it says
    """Supabase Auth or Realtime did not let this person in; the text says who and why."""
