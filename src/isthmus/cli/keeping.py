"""Keeping what was entrusted: ``verify``, ``erase``, ``hold-data``, ``backup``, ``restore``."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from isthmus.cargo.derive import Home
from isthmus.cargo.model import Party, PartyRole
from isthmus.cargo.parties import reference
from isthmus.cli.app import SET_APART, Json, Officer, app, folder, officer, open_node, show
from isthmus.exchange import epochs
from isthmus.flow import erase as flow_erase
from isthmus.flow import verify as flow_verify
from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import SystemClock
from isthmus.migrations import migrate
from isthmus.platform import backup as platform_backup
from isthmus.platform import restore as platform_restore
from isthmus.platform import settings as platform_settings
from isthmus.platform import verification
from isthmus.platform.audit import Fault

Passphrase = Annotated[
    str | None,
    typer.Option(envvar="ISTHMUS_BACKUP_PASSPHRASE", help="Seals the node's keys in the backup."),
]


@app.command()
def verify(
    assessments: Annotated[
        int, typer.Option(help="How many assessments to recompute from what is stored.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Check audit, erasures, documents and assessments; name every row that is not intact."""
    started = time.perf_counter()
    with open_node() as node, Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def advance(name: str, done: int, total: int) -> None:
            task = tasks.setdefault(name, bar.add_task(name, total=total))
            bar.update(task, completed=done, total=total)

        found = list(verification.verify(node.database, node.folder, flow_verify.CHECKS, advance))
        recomputed = node.database.read(lambda tx: flow_verify.recompute(tx, assessments))
    faults = [finding for finding in found if isinstance(finding, Fault)] + recomputed.faults
    erased = [finding for finding in found if not isinstance(finding, Fault)]
    result = {
        "intact": not faults,
        "faults": [asdict(fault) for fault in faults],
        "lawfully_erased": [asdict(notice) for notice in erased],
        "assessments_recomputed": recomputed.same,
        "assessments_erased": recomputed.erased,
        "seconds": round(time.perf_counter() - started, 3),
    }
    show(result, as_json, lambda: _verdict(result))
    if faults:
        raise typer.Exit(SET_APART)


def _verdict(result: dict[str, Any]) -> str:
    lines = [f"ALTERED  {f['table']} {f['row']}: {f['message']}" for f in result["faults"]]
    lines += [
        f"lawfully erased  {notice['table']} {notice['row']} (erasure {notice['erasure']})"
        for notice in result["lawfully_erased"]
    ]
    if result["assessments_recomputed"]:
        lines.append(f"{result['assessments_recomputed']:,} assessments recomputed, byte for byte")
    lines.append("everything is as it was written" if result["intact"] else "NOT intact")
    return "\n".join(lines)


@app.command()
def erase(
    ground: Annotated[str, typer.Option(help=f"One of {', '.join(flow_erase.GROUNDS)}.")],
    document: Annotated[str | None, typer.Option(help="Id of a received document.")] = None,
    party: Annotated[
        str | None, typer.Option(help="Identifier or reference of a declared party.")
    ] = None,
    party_name: Annotated[
        str | None, typer.Option(help="Name of a party declared without identifier.")
    ] = None,
    person: Annotated[str | None, typer.Option(help="Id of a former user.")] = None,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Erase a document, a declared party or a former user everywhere, for good, in an officer's
    name."""
    if sum(value is not None for value in (document, party, party_name, person)) != 1:
        raise Invalid("erasure_subject", "name one: --document, --party, --party-name, --person")
    with open_node() as node:
        actor = officer(node, login)
        if document is not None:
            outcome = node.eraser.document(actor, document, ground)
        elif person is not None:
            outcome = node.eraser.person(actor, person, ground)
        else:
            named = Party(PartyRole.CONSIGNEE, name=party_name, identifier=party)
            ref = reference(node.database.keys, named)
            if ref is None:
                raise Invalid("erasure_subject", "this names nobody")
            outcome = node.eraser.party(actor, ref, ground)
    result = {
        "erasure": outcome.id,
        "erased": dict(outcome.scope),
        "unreached_backups": list(outcome.unreached),
        "flushed": outcome.flushed,
    }
    show(result, as_json, lambda: f"{outcome.id}: {dict(outcome.scope)}")


@app.command(name="hold-data")
def hold_data(
    party: Annotated[str, typer.Argument(help="Identifier or reference of a declared party.")],
    hold: Annotated[
        str | None, typer.Option(help="Reference of the hold; without it the hold is lifted.")
    ] = None,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Put a party's data under legal hold, or lift it: what is held is not erased."""
    with open_node() as node:
        actor = officer(node, login)
        rows = node.database.write(lambda tx: flow_erase.hold_party(tx, actor, party, hold))
    show({"rows": rows, "held": hold is not None}, as_json, lambda: f"{rows} rows")


@app.command()
def backup(
    destination: Annotated[Path, typer.Argument(help="New or empty folder.")],
    passphrase: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Copy the node while it works; erasures made later are noted beside the copy too."""
    started = time.perf_counter()
    with open_node() as node:
        manifest = platform_backup.backup(
            node.database, node.folder, destination, node.register, passphrase=passphrase
        )
    result = {
        "backup": str(destination),
        "counts": dict(manifest.counts),
        "keys": "sealed" if passphrase else "plain",
        "seconds": round(time.perf_counter() - started, 3),
    }
    if not passphrase:
        typer.echo(
            "isthmus: this backup holds the node's keys in plain; keep it as you keep them, "
            "or give --passphrase",
            err=True,
        )
    show(result, as_json, lambda: f"backup in {destination}")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="Folder of a backup.")],
    erasures: Annotated[
        list[Path] | None, typer.Option(help="Further journals of erasures (erasures.jsonl).")
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="URL of an empty database, for a PostgreSQL backup.")
    ] = None,
    passphrase: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Restore a backup as a new node in the folder named by --node; erasures are replayed."""
    started = time.perf_counter()
    done = platform_restore.restore(
        source,
        folder(),
        SystemClock(),
        flow_erase.erasers(_home(source)),
        prepare=migrate.upgrade,
        journals=erasures or (),
        passphrase=passphrase,
        database_url=database,
    )
    with open_node() as node:
        epoch = node.database.write(epochs.after_restore)
    result = {
        "node": str(folder()),
        "epoch": epoch,
        "erasures_replayed": list(done.replayed),
        "journals": list(done.journals),
        "audit_entries": done.audit_entries,
        "seconds": round(time.perf_counter() - started, 3),
    }
    show(
        result,
        as_json,
        lambda: f"restored to {folder()}; {len(done.replayed)} erasures replayed",
    )


def _home(backup: Path) -> Home:
    """Where the node of a backup stands; a backup that is not whole is refused by the restore."""
    file = backup / "node.toml"
    if not file.is_file():
        return Home("")
    agency = platform_settings.read(file.read_text(encoding="utf-8"), str(file)).agency
    return Home(agency.country, agency.office)
