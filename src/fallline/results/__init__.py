"""What was recorded: runs and experiments as columns and named series, and their files."""

from fallline.results import printing as printing
