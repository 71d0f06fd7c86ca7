"""A run from its preparation to its verdict, driven by Locust's events."""
