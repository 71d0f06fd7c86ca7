"""Runs beside one another: what two of them differ in, and what a history of them shows."""
