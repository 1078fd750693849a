"""The data of each picture, made from results; nothing here draws."""
