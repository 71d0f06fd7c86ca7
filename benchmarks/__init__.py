"""chatsoak beside its peers, measured on this machine: ``make bench``, or ``python -m benchmarks --help``."""
