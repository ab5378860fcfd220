"""Serving: ``serve`` runs pages, API and workers of the node until it is told to stop."""

import signal
from typing import Annotated, NoReturn

import typer
import uvicorn

from isthmus.cli.app import app, open_node
from isthmus.kernel.errors import Invalid
from isthmus.node import Node
from isthmus.platform import telemetry

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address; the node's setting if none.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; the node's setting if none.")] = None,
    certificate: Annotated[str | None, typer.Option(help="TLS certificate file (PEM).")] = None,
    key: Annotated[str | None, typer.Option(help="TLS key file (PEM).")] = None,
) -> None:
    """Serve the node. Any address but loopback needs a TLS certificate and key."""
    with open_node() as node:
        listen = node.settings.listen
        serve_node(node, host or listen.host, port or listen.port, certificate, key)


def serve_node(
    node: Node, host: str, port: int, certificate: str | None = None, key: str | None = None
) -> None:
    """Serve an open node until SIGTERM or SIGINT; requests under way are finished first."""
    if host not in LOOPBACK and not (certificate and key):
        raise Invalid(
            "tls_needed", "beyond this machine the node speaks TLS only: give both files", host=host
        )
    telemetry.log("serve").info("serving", host=host, port=port)
    # The server raises a signal again once it has finished its requests; left to its default that
    # would end the process before the node is closed, with the leases of its jobs still held.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ended)
    server(node, host, port, certificate, key).run()


def _ended(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def server(
    node: Node, host: str, port: int, certificate: str | None = None, key: str | None = None
) -> uvicorn.Server:
    """Return the server of a node. It logs no addresses of those who call."""
    from isthmus.api.app import create_app
    from isthmus.web.app import mount

    application = create_app(node)
    mount(application, node)
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=20,
        limit_concurrency=512,
        h11_max_incomplete_event_size=64 << 10,
    )
    node.start()
    return uvicorn.Server(config)
