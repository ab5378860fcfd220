"""Setting a node up: ``init`` and ``migrate``."""

from pathlib import Path
from typing import Annotated

import typer

from isthmus.access import service, store
from isthmus.access.invitations import Invited
from isthmus.cli.app import Json, app, folder, show
from isthmus.kernel.errors import NotFound
from isthmus.migrations import migrate as migrations
from isthmus.node import Node
from isthmus.platform.settings import (
    AgencySettings,
    DatabaseSettings,
    NodeFolder,
    NodeSettings,
    Settings,
)
from isthmus.platform.transaction import Transaction
from isthmus.reference.offices import offices


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Folder to make; must be absent or empty.")],
    name: Annotated[str, typer.Option(help="The node's name as people see it.")] = "Isthmus",
    agency: Annotated[
        str, typer.Option(help="Short code of the authority, upper case.")
    ] = "CUSTOMS",
    agency_name: Annotated[str, typer.Option(help="Its full name.")] = "Customs authority",
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-2.")] = "PA",
    office: Annotated[
        str, typer.Option(help="Default office; a known one of the country if none.")
    ] = "",
    locale: Annotated[str, typer.Option(help="es, en, fr, nl or pt.")] = "en",
    database: Annotated[str, typer.Option(help="Database URL; SQLite in the folder if none.")] = "",
    as_json: Json = False,
) -> None:
    """Make a node: folder, keys, schema, rules; print the first administrator's one-time link."""
    known = [entry.code for entry in offices(country)]
    office = office or (known[0] if known else f"{country}000")
    settings = Settings(
        node=NodeSettings(name=name, locale=locale),  # type: ignore[arg-type]
        agency=AgencySettings(code=agency, name=agency_name, country=country, office=office),
        database=DatabaseSettings(url=database),
    )
    with Node.create(directory, settings) as node:

        def first(tx: Transaction) -> Invited:
            founded = store.agency_by_code(tx, agency)
            if founded is None:
                raise NotFound("agency_unknown", "the node lacks its own agency", agency=agency)
            return service.invite_first_administrator(tx, founded.id, locale)

        invited = node.database.write(first)
        listen = node.settings.listen
        link = f"http://{listen.host}:{listen.port}/welcome/{invited.secret}"
    result = {
        "node": str(directory),
        "welcome": link,
        "expires_at": invited.expires_at.isoformat(),
    }
    show(
        result,
        as_json,
        lambda: (
            f"Node made in {directory}.\n"
            f"Start it:          isthmus --node {directory} serve\n"
            f"Then open once:    {link}\n"
            f"(the first administrator's link, good until {invited.expires_at:%Y-%m-%d %H:%M} UTC)"
        ),
    )


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the node's database to this version's schema."""
    node = Node(NodeFolder.open(folder()))
    try:
        before = migrations.current(node.database)
        ran = migrations.upgrade(node.database)
        after = migrations.current(node.database)
    finally:
        node.close()
    result = {"before": before, "after": after, "ran": ran}
    show(result, as_json, lambda: f"Schema {before or 'empty'} → {after} ({len(ran)} steps)")
