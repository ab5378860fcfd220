"""One node of a demonstration as a process: ``python -m isthmus.cli.demo.node FOLDER``.

It serves until it is told to stop, or until whoever started it is gone: then its standard input
ends. A byte there says that somebody else has written into its database: it looks at once, as it
does after a commit of its own.
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
    with Node.open(Path(sys.argv[1])) as node:
        threading.Thread(target=_heed, args=(node,), name="told", daemon=True).start()
        listen = node.settings.listen
        serving.serve_node(node, listen.host, listen.port)


def _heed(node: Node) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        for wake in tuple(node.database.wakers):
            wake()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
