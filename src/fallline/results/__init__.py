"""What was recorded: runs and experiments as columns and named series, and their files.

`best` is the best of what a result is made of: the point of a trajectory, the run of a comparison, the setting of a
sweep, the trial of a search; `ranked(count)` gives several of them, the best first.
"""

from fallline.results import printing as printing
