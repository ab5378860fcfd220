"""``isthmus exchange``: set the exchange up, keep the directory of partners, carry files."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.access.model import Actor, Purpose
from isthmus.cases.requests import Question
from isthmus.cli.app import SET_APART, Json, Officer, app, officer, open_node, show
from isthmus.exchange import dispatch, epochs, files, inbox, standing
from isthmus.exchange.model import Lane, Partner
from isthmus.exchange.questions import inquiry
from isthmus.exchange.trust import identity, partners
from isthmus.flow.sharing import asking
from isthmus.intelligence.objects import ObjectKind
from isthmus.kernel.errors import Invalid
from isthmus.node import Node
from isthmus.platform.transaction import Transaction

exchange = typer.Typer(
    name="exchange", help="The exchange with partner nodes.", no_args_is_help=True
)
app.add_typer(exchange)
directory = typer.Typer(name="partners", help="The directory of partners.", no_args_is_help=True)
exchange.add_typer(directory)

Code = Annotated[str, typer.Argument(help="The partner's code, such as NL-DOUANE.")]
Signing = Annotated[str, typer.Option("--signing", help="Signing fingerprint as you heard it.")]
Tls = Annotated[str, typer.Option("--certificate", help="Certificate fingerprint, as heard.")]


@exchange.command("init")
def set_up(
    address: Annotated[
        str, typer.Option(help="host:port where partners dial this node; none: it dials out only.")
    ] = "",
    listen: Annotated[
        str | None, typer.Option(help="host:port of the listener; the address if none.")
    ] = None,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Make this node's keys and certificate, and print both fingerprints."""
    with open_node() as node:
        actor, agency = officer(node, login), node.settings.agency

        def work(tx: Transaction) -> None:
            identity.found(
                tx,
                actor,
                node=identity.node_code(agency.country, agency.code),
                country=agency.country,
                name=agency.name,
                address=address,
                listen=address if listen is None else listen,
            )

        node.database.write(work)
        result = _self(node)
    show(result, as_json, lambda: _me(result))


def _self(node: Node) -> dict[str, Any]:
    card = identity.read_card(node.database.read(identity.card))
    return {
        "node": card.node,
        "address": card.address,
        "signing": card.signing_fingerprint,
        "certificate": card.certificate_fingerprint,
        "until": card.until.isoformat(),
        "epoch": card.epoch,
    }


def _me(result: dict[str, Any]) -> str:
    return (
        f"{result['node']} at {result['address'] or 'no address: it dials out only'}\n"
        f"signing key  {_grouped(result['signing'])}\n"
        f"certificate  {_grouped(result['certificate'])}\n"
        f"good until {result['until'][:10]}; hand partners the card: isthmus exchange card"
    )


def _grouped(fingerprint: str) -> str:
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))


@exchange.command("card")
def tell_card(
    out: Annotated[
        Path | None, typer.Option(help="File to write; standard output if none.")
    ] = None,
) -> None:
    """Print this node's card: what partners enter into their directories."""
    with open_node() as node:
        raw = node.database.read(identity.card)
    if out is None:
        typer.echo(raw.decode())
    else:
        out.write_bytes(raw)


@exchange.command("rotate")
def rotate(login: Officer = None, as_json: Json = False) -> None:
    """Make the next keys; running partners learn them by the card that the old key signs."""
    with open_node() as node:
        actor = officer(node, login)
        node.database.write(lambda tx: identity.rotate(tx, actor))
        result = _self(node)
    show(result, as_json, lambda: _me(result))


@exchange.command("restored")
def restored(as_json: Json = False) -> None:
    """Open a new epoch after a restore, so that partners give back what the backup lacks."""
    with open_node() as node:
        epoch = node.database.write(epochs.open_new)
    show({"epoch": epoch}, as_json, lambda: f"epoch {epoch} is open")


@exchange.command("status")
def tell_status(login: Officer = None, as_json: Json = False) -> None:
    """Say of each partner what waits, is held, was refused, and which alarms are open.

    Exit status 1 when an alarm is open.
    """
    with open_node() as node:
        actor = officer(node, login)
        result = node.database.read(lambda tx: standing.status(tx, actor))
    show(result, as_json, lambda: "\n".join(_lines(result)))
    if any(row["alarms"] for row in result["partners"]):
        raise typer.Exit(SET_APART)


def _lines(result: dict[str, Any]) -> list[str]:
    lines = [f"{result['node']}, epoch {result['epoch']}, ledger of {result['ledger']:,}"]
    for row in result["partners"]:
        numbers = ", ".join(f"{name} {value:,}" for name, value in row["envelopes"].items())
        lines.append(f"{row['code']:<16}{row['state']:<10}{numbers or 'nothing exchanged'}")
        lines += [f"  ALARM  {code}" for code in row["alarms"]]
    return lines


# -- partners -----------------------------------------------------------------------------


@directory.command("add")
def add(
    card: Annotated[Path, typer.Argument(help="The partner's card.")],
    address: Annotated[str | None, typer.Option(help="Dial it here; the card's if none.")] = None,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Propose a partner from its card."""
    raw = _read(card)
    with open_node() as node:
        actor = officer(node, login)
        found = node.database.write(lambda tx: partners.add(tx, actor, raw, address))
    _show_partner(found, as_json)


@directory.command("compare")
def compare(
    code: Code, signing: Signing, certificate: Tls, login: Officer = None, as_json: Json = False
) -> None:
    """First person: type both fingerprints as the partner read them to you."""
    with open_node() as node:
        actor = officer(node, login)
        found = node.database.write(
            lambda tx: partners.compare(tx, actor, code, signing, certificate)
        )
    _show_partner(found, as_json)


@directory.command("trust")
def trust(
    code: Code, signing: Signing, certificate: Tls, login: Officer = None, as_json: Json = False
) -> None:
    """Second person: the same again; the partner is trusted from now on."""
    with open_node() as node:
        actor = officer(node, login)
        found = node.database.write(
            lambda tx: partners.trust(tx, actor, code, signing, certificate)
        )
    _show_partner(found, as_json)


@directory.command("suspend")
def suspend(code: Code, login: Officer = None, as_json: Json = False) -> None:
    """Stop all exchange with a partner at once."""
    with open_node() as node:
        actor = officer(node, login)
        found = node.database.write(lambda tx: partners.suspend(tx, actor, code))
    _show_partner(found, as_json)


@directory.command("replace")
def replace(
    card: Annotated[Path, typer.Argument(help="The partner's new card, got out of band.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """After a compromise: the old keys count for nothing, the ceremony begins anew."""
    raw = _read(card)
    with open_node() as node:
        actor = officer(node, login)
        found = node.database.write(lambda tx: partners.replace(tx, actor, raw))
    _show_partner(found, as_json)


@directory.command("list")
def tell_partners(login: Officer = None, as_json: Json = False) -> None:
    """List the directory."""
    with open_node() as node:
        actor = officer(node, login)
        found = node.database.read(lambda tx: partners.directory(tx, actor))
    show(
        {"partners": [_plain(one) for one in found]},
        as_json,
        lambda: "\n".join(_partner(_plain(one)) for one in found) or "no partners",
    )


def _plain(found: Partner) -> dict[str, Any]:
    return {
        "code": found.code,
        "country": found.country,
        "name": found.name,
        "address": found.address,
        "state": found.state.value,
        "signing": found.signing,
        "certificate": found.certificate,
        "caps": found.caps.plain(),
    }


def _partner(row: dict[str, Any]) -> str:
    return (
        f"{row['code']:<16}{row['state']:<10}{row['address'] or 'dials out only'}\n"
        f"  signing key  {_grouped(row['signing'])}\n"
        f"  certificate  {_grouped(row['certificate'])}"
    )


def _show_partner(found: Partner, as_json: bool) -> None:
    result = _plain(found)
    show(result, as_json, lambda: _partner(result))


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise Invalid("file_missing", "no such file", file=str(path))
    return path.read_bytes().strip()


# -- questions ----------------------------------------------------------------------------


@exchange.command("ask")
def ask(
    code: Code,
    file: Annotated[Path, typer.Argument(help="Objects, one a line: MSKU1234565, or seal: AB12.")],
    purpose: Annotated[Purpose, typer.Option(help="What for.")] = Purpose.TARGETING,
    kind: Annotated[
        ObjectKind, typer.Option(help="What a line without a kind is.")
    ] = ObjectKind.CONTAINER,
    case: Annotated[
        str, typer.Option(help="Your case: what is known is then drafted as a request.")
    ] = "",
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Ask a partner which of some objects it knows, without telling it which.

    A hit proves nothing by itself. With --case the containers known are drafted as an ordinary
    request, for a person to send.
    """
    elements = inquiry.read(_read(file).decode(errors="replace").splitlines(), kind)
    with open_node() as node:
        actor = officer(node, login)
        known = inquiry.ask(node.database, node.folder.temporary, actor, code, purpose, elements)
        request = _request(node, actor, code, known, case) if case else None
    result = {"asked": len(elements), "known": known, "request": request}
    show(result, as_json, lambda: "\n".join(_told(code, result)))


def _request(node: Node, actor: Actor, code: str, known: list[str], case: str) -> str | None:
    """Draft the request that a hit leads to; returns the item's id."""
    kind = f"{ObjectKind.CONTAINER.value}:"
    containers = [one.removeprefix(kind) for one in known if one.startswith(kind)]
    if not containers:
        return None
    asked = Question(code, ("container_history",), own_case=case)

    def draft(tx: Transaction) -> str:
        return asking.ask(tx, actor, identity.me(tx)["node"], asked, containers)

    return node.database.write(draft)


def _told(code: str, result: dict[str, Any]) -> list[str]:
    lines = [f"{code} knows {len(result['known'])} of {result['asked']:,}", *result["known"]]
    if result["request"]:
        lines.append(f"drafted as {result['request']}: send it to ask what is known")
    return lines


# -- files --------------------------------------------------------------------------------


@exchange.command("export")
def export(
    code: Code,
    out: Annotated[Path, typer.Argument(help="File to write.")],
    lane: Annotated[Lane, typer.Option(help="Which lane.")] = Lane.ROUTINE,
    as_json: Json = False,
) -> None:
    """Write what waits for a partner into a file; it waits on until the receipts come back."""
    with open_node() as node:
        raws = files.waiting(node.database, node.station.policy, code, lane)
        out.write_bytes(b"\n".join(raws))
    show({"envelopes": len(raws)}, as_json, lambda: f"{len(raws)} envelopes in {out}")


@exchange.command("import")
def take_in(
    code: Code,
    file: Annotated[Path, typer.Argument(help="A file of envelopes or of receipts.")],
    answer: Annotated[Path | None, typer.Option(help="Write the receipts here.")] = None,
    as_json: Json = False,
) -> None:
    """Take in a partner's file: envelopes (their receipts go to --answer), or receipts."""
    raw = _read(file)
    with open_node() as node:
        result = _take_in(node, code, raw.split(b"\n"), answer)
    show(result, as_json, lambda: ", ".join(f"{name} {value}" for name, value in result.items()))
    if result.get("refused"):
        raise typer.Exit(SET_APART)


def _take_in(node: Node, code: str, raws: list[bytes], answer: Path | None) -> dict[str, Any]:
    try:
        kind = json.loads(raws[0])["kind"]
    except (ValueError, KeyError, TypeError):
        raise Invalid("file_malformed", "neither envelopes nor receipts") from None
    if kind == "receipt":
        dispatch.settle(node.database, code, raws)
        return {"receipts": len(raws)}
    got = inbox.receive(node.database, node.station.policy, code, raws)
    if answer is not None:
        answer.write_bytes(b"\n".join(got.receipts))
    return {"envelopes": len(raws) - len(got.refused), "refused": got.refused}
