"""Fitting models to data: fit(), its default choices, the fitted model, and the result."""
