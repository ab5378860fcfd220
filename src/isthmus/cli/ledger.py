"""``isthmus ledger``: prove what was exchanged, and verify a proof with no node at all."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.app import Json, Officer, app, officer, open_node, show, unsound
from isthmus.exchange import upkeep
from isthmus.exchange.proof import bundle, proofs
from isthmus.kernel.errors import Invalid

ledger = typer.Typer(
    name="ledger", help="The exchange ledger and its proofs.", no_args_is_help=True
)
app.add_typer(ledger)


@ledger.command("prove")
def prove(
    envelope: Annotated[str, typer.Argument(help="The envelope's id.")],
    out: Annotated[Path, typer.Argument(help="File to write.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Write the bundle that proves an envelope, its receipt and their places in the ledger."""
    with open_node() as node:
        actor = officer(node, login)
        upkeep.seal_ledger(node.database)
        raw = node.database.write(lambda tx: proofs.prove(tx, actor, envelope))
    out.write_bytes(raw)
    show({"file": str(out), "bytes": len(raw)}, as_json, lambda: f"{out}: {len(raw):,} bytes")


@ledger.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="A proof bundle.")],
    pins: Annotated[
        list[str] | None,
        typer.Option("--pin", help="NODE=FINGERPRINT known from elsewhere; else only shown."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify a bundle. Needs no node, only the file. Exit status 2 when anything is wrong."""
    if not file.is_file():
        raise Invalid("file_missing", "no such file", file=str(file))
    pinned: dict[str, list[str]] = {}
    for pin in pins or []:
        name, _, fingerprint = pin.partition("=")
        pinned.setdefault(name, []).append("".join(fingerprint.lower().split()))
    found, findings = bundle.verify(file.read_bytes(), pinned or None)
    if found is None:
        unsound(findings, as_json)
    show({"valid": True, **asdict(found)}, as_json, lambda: _words(found))


def _words(found: bundle.Verified) -> str:
    lines = [
        f"{found.sender} sent {found.item} version {found.version} to {found.recipient},",
        f"sealed {found.made_at}, receipted {found.receipted_at}: {found.outcome}",
        f"under {', '.join(found.clauses)}",
        f"in the logs of {', '.join(found.inclusions)}",
    ]
    lines += [f"key of {node}: {key}" for node, key in found.keys.items()]
    return "\n".join(lines)
