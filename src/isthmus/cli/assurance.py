"""``isthmus assurance``: a signed pack for a partner and a period, and its verification."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from isthmus.cli.app import SET_APART, Json, Officer, app, officer, open_node, show, unsound
from isthmus.exchange import upkeep
from isthmus.flow import assurance as packs
from isthmus.flow import assurance_pack
from isthmus.flow.assurance_pack import Pack
from isthmus.kernel.errors import Invalid
from isthmus.platform.upkeep import seal_audit


class OfPartner(TyperGroup):
    """Takes the code of a partner where a command's name would stand: that makes its pack."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Read ``assurance NL-DOUANE …`` as ``assurance make NL-DOUANE …``."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            args = ["make", *args]
        return super().resolve_command(ctx, args)


assurance = typer.Typer(
    name="assurance",
    cls=OfPartner,
    help="How this node kept to what was agreed with a partner, signed.",
    no_args_is_help=True,
)
app.add_typer(assurance)

Day = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC).")]
Until = Annotated[
    datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The day after the last (UTC).")
]


@assurance.command("make")
def make(
    partner: Annotated[str, typer.Argument(help="The partner's code, such as NL-DOUANE.")],
    since: Day,
    until: Until,
    out: Annotated[Path | None, typer.Option("--out", help="File to write.")] = None,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Write the signed pack of a partner and a period. Exit status 1 when it shows a leak or a
    damaged audit."""
    file = out or Path(f"assurance-{partner}-{since:%Y-%m-%d}.json")
    with open_node() as node:
        actor = officer(node, login)
        upkeep.seal_ledger(node.database)
        seal_audit(node.database, node.folder)
        head = node.folder.audit_head
        start, end = since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)
        raw = packs.make(node.database, actor, partner, start, end, head)
    file.write_bytes(raw)
    pack, findings = assurance_pack.verify(raw)
    if pack is None:
        raise Invalid("pack_unsound", "the pack does not verify", fault=findings[0].code)
    result = {"file": str(file), "bytes": len(raw), **_summary(pack)}
    show(result, as_json, lambda: f"{file}: {len(raw):,} bytes\n{_words(pack)}")
    if pack.said["leaks"]["found"] or pack.said["audit"]["faults"]:
        raise typer.Exit(SET_APART)


@assurance.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="A pack.")],
    pins: Annotated[
        list[str] | None,
        typer.Option("--pin", help="Fingerprint of the node's key, known from elsewhere."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify a pack. Needs no node, only the file. Exit status 2 when anything is wrong."""
    if not file.is_file():
        raise Invalid("file_missing", "no such file", file=str(file))
    pinned = ["".join(pin.lower().split()) for pin in pins or []]
    pack, findings = assurance_pack.verify(file.read_bytes(), pinned)
    if pack is None:
        unsound(findings, as_json)
    show({"valid": True, **_summary(pack)}, as_json, lambda: _words(pack))


def _summary(pack: Pack) -> dict[str, Any]:
    said: Mapping[str, Any] = pack.said
    return {
        "node": pack.node,
        "partner": pack.partner,
        "from": said["from"],
        "until": said["until"],
        "digest": pack.digest,
        "key": pack.key,
        "shares": said["disclosures"]["shares"],
        "checked": said["leaks"]["checked"],
        "not_checkable": sum(said["leaks"]["not_checkable"].values()),
        "leaks": len(said["leaks"]["found"]),
        "audit_faults": said["audit"]["faults"],
        "feedback_owed": len(said["feedback"]["owed"]),
        "evidence": len(said["evidence"]),
    }


def _words(pack: Pack) -> str:
    told = _summary(pack)
    return "\n".join(
        [
            f"{pack.node} about what it did with {pack.partner}, {told['from']} to {told['until']}",
            f"{told['shares']} shares; {told['checked']} envelopes decided again, "
            f"{told['not_checkable']} not kept any more, {told['leaks']} leaks",
            f"audit: {told['audit_faults']} faults; feedback owed: {told['feedback_owed']}",
            f"{told['evidence']} envelopes with their places in the ledger",
            f"signed by {told['key']}",
            f"SHA-256 {told['digest']}",
        ]
    )
