"""Recipe files: a run, a comparison or a fit as a TOML file of plain data."""
