"""Many runs: compare, sweep and its store, basins, tune."""
