"""The entry point of the `fallline` command: outside the package, to handle Ctrl-C while that is imported."""

from __future__ import annotations

import errno
import os
import signal
import sys


def main() -> None:
    """Run the command line; Ctrl-C outside of a run exits with 130 and prints nothing."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:
        # A KeyboardInterrupt in the middle of an import may be turned into another error.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    try:
        from fallline.cli.outline import answered

        if not answered(sys.argv[1:]):
            from fallline.cli.app import main

            signal.signal(signal.SIGINT, usual)
            main()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        # Errors of files have their names; these are of the output, whose rest is lost, too.
        if error.errno not in (errno.ENOSPC, errno.EPIPE) or error.filename:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1 if error.errno == errno.EPIPE else f"fallline: cannot write: {error.strerror}")
