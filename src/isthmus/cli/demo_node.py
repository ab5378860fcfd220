"""One node of a demonstration as a process: ``python -m isthmus.cli.demo_node FOLDER``.

It serves until it is told to stop, or until whoever started it is gone: then its standard input
ends.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from isthmus.cli import serving
from isthmus.node import Node
from isthmus.platform import telemetry


def main() -> None:
    """Serve the node of a folder at the address of its settings."""
    telemetry.configure(json=True, level="WARNING")
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    with Node.open(Path(sys.argv[1])) as node:
        listen = node.settings.listen
        serving.serve_node(node, listen.host, listen.port)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
