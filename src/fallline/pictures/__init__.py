"""The data of each picture, computed from results; nothing here draws."""
