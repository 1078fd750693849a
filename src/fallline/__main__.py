"""`python -m fallline`: the command line."""

from __future__ import annotations

from fallline_command import main

if __name__ == "__main__":
    main()
