"""Experiments of many runs: compare, sweep and its store, basins, tune."""
