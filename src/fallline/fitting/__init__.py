"""A model fitted to data: fit(), the fitted model, and what is chosen for the user."""
