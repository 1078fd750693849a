"""The interactive page: a problem, its runs and their pictures, in a browser without Python."""
