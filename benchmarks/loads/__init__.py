"""The load of each side, one file a side."""
