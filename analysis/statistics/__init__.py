"""Statistics of series over time: intervals, trends, steps, warm-up, windows. Pure: numbers in, numbers out.

Nothing here knows of a run, a record or a report. docs/statistics.md says in plain words what each method can tell.
"""
