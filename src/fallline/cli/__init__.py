"""The command line: the commands, and what is answered without them."""
