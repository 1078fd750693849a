"""The command's entry: outside the package, so that Ctrl-C while that is imported ends as quietly as later."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; Ctrl-C outside of a run, which tells of itself, ends with 130 and no word."""
    try:
        from fallline import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)
