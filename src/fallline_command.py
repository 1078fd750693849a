"""The command's entry: outside the package, so that Ctrl-C while that is imported ends as quietly as later."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the command line; Ctrl-C outside of a run, which tells of itself, ends with 130 and no word."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:
        # Raised in the middle of an import, some code would turn it into an error of another kind.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    try:
        from fallline import cli

        signal.signal(signal.SIGINT, usual)
        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)
