"""What was recorded: runs and experiments as columns and named series, and their files.

`best` is the best of what a result is made of: the point of a trajectory, the run of a comparison, the setting of a
sweep, the trial of a search, the minimum of a map, the point of a fit's descent; where there are several of them,
`ranked(count)` gives the best ones, the best first.
"""
