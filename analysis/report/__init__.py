"""The report of a run: what a person, a CI system and a terminal are told. It computes no figure."""
