"""``isthmus agreements``: check a file, see what is in force, take in a table of agreements."""

import io
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from isthmus.agreements import lifecycle, listing, prohibitions, register, service
from isthmus.agreements.examples import Outcome, outcomes
from isthmus.agreements.listing import Listed
from isthmus.agreements.overlay import plain, read_rule
from isthmus.agreements.reading import read_file
from isthmus.cargo.formats.spreadsheet import Workbook, WorkbookFault, is_workbook
from isthmus.cli.app import SET_APART, Json, Officer, app, officer, open_node, show
from isthmus.exchange.trust import ratify
from isthmus.kernel.errors import Invalid

agreements = typer.Typer(
    name="agreements", help="Agreements, their clauses and examples.", no_args_is_help=True
)
app.add_typer(agreements)
forbidden = typer.Typer(name="overlay", help="What this node forbids itself.", no_args_is_help=True)
agreements.add_typer(forbidden)

Version = Annotated[str, typer.Argument(help="Agreement and version, such as PA-NL-2026@1.")]


@agreements.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="An agreement file.")], as_json: Json = False
) -> None:
    """Read a file and run its examples; needs no node. Exit status 1 when one comes out wrong."""
    agreement = read_file(file)
    ran = list(outcomes(agreement))
    result = {
        "agreement": agreement.id,
        "version": agreement.version,
        "hash": agreement.hash,
        "clauses": len(agreement.clauses),
        "examples": [_plain(one) for one in ran],
        "failed": sum(not one.passed for one in ran),
    }
    show(result, as_json, lambda: _checked(result))
    if result["failed"]:
        raise typer.Exit(SET_APART)


def _plain(outcome: Outcome) -> dict[str, Any]:
    example = outcome.example
    return {
        "clause": outcome.clause,
        "title": example.title,
        "meant": "allow" if example.allow else "refuse",
        "because": example.because,
        "passed": outcome.passed,
        "wrong": list(outcome.wrong),
    }


def _checked(result: dict[str, Any]) -> str:
    lines = [f"{result['agreement']} version {result['version']}, hash {result['hash']}"]
    for one in result["examples"]:
        word = {"allow": "allowed", "refuse": "refused"}[one["meant"]]
        said = f"{one['clause']:<12} {word}  {one['title']}"
        said += f" ({one['because']})" if one["because"] else ""
        lines.append(f"  {said}" if one["passed"] else f"! {said}: {'; '.join(one['wrong'])}")
    lines.append(f"{len(result['examples'])} examples, {result['failed']} wrong")
    return "\n".join(lines)


@agreements.command("list")
def tell(login: Officer = None, as_json: Json = False) -> None:
    """Say which agreements this node holds, and what is only known by a row of a table.

    Exit status 1 when a partner holds another text of one.
    """
    with open_node() as node:
        actor = officer(node, login)
        held = node.database.read(lambda tx: service.agreements(tx, actor))
        rows = node.database.read(lambda tx: listing.listed(tx, actor))
        apart = node.database.read(lambda tx: service.differences(tx, actor))
        rules = node.database.read(prohibitions.overlay)
        stopped = node.database.read(lambda tx: register.open_suspensions(tx, actor))
    result = {
        "agreements": [
            {
                "id": row["id"],
                "state": row["state"],
                "hash": row["hash"],
                "title": dict(agreement.title),
                "instrument": agreement.instrument,
                "fictional": agreement.fictional,
                "permits": sum(clause.permit is not None for clause in agreement.clauses),
                "commits": sum(clause.commitment is not None for clause in agreement.clauses),
            }
            for row, agreement in held
        ],
        "listed": [
            {"id": row["id"], "completeness": row["completeness"], "lacks": row["lacks"]}
            for row in rows
        ],
        "lacking": dict(listing.lacking(rows)),
        "differing": [{"partner": row["partner"], "agreement": row["agreement"]} for row in apart],
        "suspended": [
            {"id": row["id"], "agreement": row["agreement"], "clause": row["clause"]}
            for row in stopped
        ],
        "overlay": [rule.id for rule in rules],
    }
    show(result, as_json, lambda: _told(result))
    if apart:
        raise typer.Exit(SET_APART)


def _told(result: dict[str, Any]) -> str:
    lines = [
        f"{one['id']:<24} {one['state']:<13} {one['permits']} permits, {one['commits']} commits"
        f"{', made up' if one['fictional'] else ''}"
        for one in result["agreements"]
    ]
    lines += [
        f"{one['id']:<24} listed        {one['completeness']} %"
        + (f", lacks {', '.join(one['lacks'])}" if one["lacks"] else "")
        for one in result["listed"]
    ]
    lines += [
        f"DIFFERS  {one['agreement']}: {one['partner']} holds another text"
        for one in result["differing"]
    ]
    lines += [
        f"STOPPED  {one['agreement']}{'/' + one['clause'] if one['clause'] else ''} ({one['id']})"
        for one in result["suspended"]
    ]
    lines.append(f"overlay: {', '.join(result['overlay'])}")
    return "\n".join(lines)


@agreements.command("import-table")
def take_table(
    collection: Annotated[str, typer.Argument(help="Code of the set, such as PA-MX-2016.")],
    file: Annotated[Path, typer.Argument(help=f"CSV or XLSX: {', '.join(listing.COLUMNS)}.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Take in agreements that are known by a row of a table alone, and say what each lacks."""
    rows = _rows(file)
    with open_node() as node:
        actor = officer(node, login)
        counts = node.database.write(lambda tx: listing.take(tx, actor, collection, rows))
    short = [{"number": row.number, "lacks": list(row.lacks)} for row in rows if row.lacks]
    whole = sum(row.completeness for row in rows)
    mean = round(whole / len(rows)) if rows else 0
    result = {"collection": collection, **counts, "completeness": mean, "incomplete": short}
    show(result, as_json, lambda: _taken(result))


def _rows(file: Path) -> list[Listed]:
    if not file.is_file():
        raise Invalid("file_missing", "no such file", file=str(file))
    content = file.read_bytes()
    if not is_workbook(content[:8192]):
        return listing.read_csv(content.decode("utf-8-sig", errors="replace"))
    try:
        with Workbook(io.BytesIO(content)) as book:
            return listing.read_rows(cells for _, cells in book.rows())
    except WorkbookFault as fault:
        raise Invalid("listing.invalid", fault.message, file=file.name) from None


def _taken(result: dict[str, Any]) -> str:
    lines = [f"{result['collection']}: {result['rows']} rows, {result['new']} new, "]
    lines[0] += f"{result['completeness']} % complete; a row gives no authority to share"
    lines += [
        f"{one['number']:>6}  lacks {', '.join(one['lacks'])}" for one in result["incomplete"]
    ]
    return "\n".join(lines)


@agreements.command("enter")
def enter(
    file: Annotated[Path, typer.Argument(help="An agreement file.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Enter a version as a draft; two other persons then review it."""
    read_file(file)
    text = file.read_text(encoding="utf-8")
    with open_node() as node:
        actor = officer(node, login)
        version = node.database.write(lambda tx: lifecycle.enter(tx, actor, text, file.name))
    show({"version": version, "state": "draft"}, as_json, lambda: f"{version}: draft")


@agreements.command("review")
def review(version: Version, login: Officer = None, as_json: Json = False) -> None:
    """Approve a version in law; the second review wants every example to come out as meant."""
    with open_node() as node:
        actor = officer(node, login)
        state = node.database.write(lambda tx: lifecycle.review(tx, actor, version))
    show({"version": version, "state": state}, as_json, lambda: f"{version}: {state}")


@agreements.command("sign")
def sign(
    version: Version,
    out: Annotated[Path, typer.Option(help="Where the signature for the partner is written.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Sign a version's hash as this node, and write the signature for the partner."""
    with open_node() as node:
        actor = officer(node, login)
        out.write_bytes(node.database.write(lambda tx: ratify.sign(tx, actor, version)))
    show({"version": version, "file": str(out)}, as_json, lambda: f"{version}: signed, {out}")


@agreements.command("record")
def record(
    version: Version,
    party: Annotated[str, typer.Argument(help="The partner that signed, such as NL-DOUANE.")],
    file: Annotated[Path, typer.Argument(help="Its signature.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Record a partner's signature under a version; a wrong one is refused."""
    if not file.is_file():
        raise Invalid("file_missing", "no such file", file=str(file))
    raw = file.read_bytes()
    with open_node() as node:
        actor = officer(node, login)
        new = node.database.write(lambda tx: ratify.record(tx, actor, version, party, raw))
    word = "recorded" if new else "known already"
    show({"version": version, "party": party, "new": new}, as_json, lambda: f"{party}: {word}")


@agreements.command("activate")
def activate(
    version: Version,
    fictional: Annotated[
        bool, typer.Option("--fictional", help="This node plays: a made-up one may be in force.")
    ] = False,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Put a tested version in force; what widens needs both parties' signatures on record."""
    with open_node() as node:
        actor = officer(node, login)
        node.database.write(lambda tx: lifecycle.activate(tx, actor, version, fictional=fictional))
    show({"version": version, "state": "active"}, as_json, lambda: f"{version}: active")


@agreements.command("suspend")
def suspend(
    agreement: Annotated[str, typer.Argument(help="The agreement, such as PA-NL-2026.")],
    ground: Annotated[str, typer.Option(help="Code of the list refusal_grounds.")],
    clause: Annotated[str | None, typer.Option(help="One clause; else all of them.")] = None,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Stop a clause or an agreement at once; no partner is asked."""
    with open_node() as node:
        actor = officer(node, login)
        made = node.database.write(
            lambda tx: lifecycle.suspend(tx, actor, agreement, ground, clause)
        )
    what = f"{agreement}/{clause}" if clause else agreement
    show({"suspension": made, "what": what}, as_json, lambda: f"{what}: suspended ({made})")


@agreements.command("lift")
def lift(
    suspension: Annotated[str, typer.Argument(help="Id of the suspension, as `list` tells it.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """End a suspension; for another person than the one who suspended."""
    with open_node() as node:
        actor = officer(node, login)
        node.database.write(lambda tx: lifecycle.lift(tx, actor, suspension))
    show({"suspension": suspension, "state": "lifted"}, as_json, lambda: f"{suspension}: lifted")


# -- the overlay --------------------------------------------------------------------------


@forbidden.command("list")
def tell_overlay(login: Officer = None, as_json: Json = False) -> None:
    """Say what this node forbids itself, and which changes wait for a second person."""
    with open_node() as node:
        actor = officer(node, login)
        held = node.database.read(lambda tx: register.forbidden(tx, actor))
    result = {
        "rules": [plain(one) for one in (*held.rules, *held.fixed)],
        "proposed": [
            {"id": row["id"], "rule": row["rule"], "removes": row["body"] is None}
            for row in held.proposed
        ],
    }
    show(result, as_json, lambda: _overlay(result))


def _overlay(result: dict[str, Any]) -> str:
    lines = [
        f"{one['id']:<26} {one['ground']}{', fixed' if one.get('fixed') else ''}"
        for one in result["rules"]
    ]
    lines += [
        f"PROPOSED  {one['id']}: {'take out' if one['removes'] else 'add or replace'} {one['rule']}"
        for one in result["proposed"]
    ]
    return "\n".join(lines)


@forbidden.command("propose")
def propose(
    file: Annotated[Path, typer.Argument(help="A rule in YAML: id, ground, what it matches.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Propose to add a rule, or to replace the one with its id; another person approves it."""
    if not file.is_file():
        raise Invalid("file_missing", "no such file", file=str(file))
    try:
        rule = read_rule(yaml.safe_load(file.read_text(encoding="utf-8")), file.name)
    except yaml.YAMLError:
        raise Invalid("overlay.invalid", "not YAML", file=file.name) from None
    with open_node() as node:
        actor = officer(node, login)
        change = node.database.write(lambda tx: prohibitions.propose(tx, actor, rule))
    show({"change": change, "rule": rule.id}, as_json, lambda: f"{rule.id}: proposed ({change})")


@forbidden.command("remove")
def remove(
    rule: Annotated[str, typer.Argument(help="Id of the rule.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Propose to take a rule out; another person approves it."""
    with open_node() as node:
        actor = officer(node, login)
        change = node.database.write(lambda tx: prohibitions.propose_removal(tx, actor, rule))
    show({"change": change, "rule": rule}, as_json, lambda: f"{rule}: proposed ({change})")


@forbidden.command("approve")
def approve(
    change: Annotated[str, typer.Argument(help="Id of the change.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Put a proposed change in force; for another person than its proposer."""
    with open_node() as node:
        actor = officer(node, login)
        node.database.write(lambda tx: prohibitions.approve(tx, actor, change))
    show({"change": change, "state": "in force"}, as_json, lambda: f"{change}: in force")
