"""How the number of users moves over a run, chosen by ``--shape``."""
