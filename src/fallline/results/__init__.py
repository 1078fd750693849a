"""The results of runs and experiments: recorded data as columns and named series, and their files."""

from fallline.results import printing as printing
