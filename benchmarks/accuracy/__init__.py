"""How near the figures are to the truth: a server whose latencies are known, beside Locust's own statistics and k6."""
