"""Ways to the libraries people already use: torch, optax, JAX, SciPy and scikit-learn, one a module."""
