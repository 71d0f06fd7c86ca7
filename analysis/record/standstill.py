"""When a load process stands still, and for how much of its time it may: one rule for the warning while it goes on and for the verdict.

Its event loop beats every `BEAT_S`. A beat that comes late shows that the loop stood still for as long as it is late; for up to a
beat before that it may have, which is not held against it here.
"""

BEAT_S = 0.02
# Share of the load. A process that stands still for as long makes a load with holes in it: users who would have sent did not.
# On machines that were busy with several other suites, clean runs had up to 0.12; a process held to a quarter has 0.7, and what
# a control group's quota holds to it 0.45 and more.
MOST_STILL = 0.25
