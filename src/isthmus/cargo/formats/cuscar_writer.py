"""Writes a manifest as a CUSCAR interchange, by the same profiles that read it.

It serves the sample traffic and the tests of the reader. What a cargo report cannot say is left
out: who removed a seal and why, kinds of seal but the electronic one (and that one in D.95B),
duties and procedures of goods, the call sign of a ship with an IMO number, and regimes that no
nature of movement names.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from isthmus.cargo.formats.cuscar_profile import Profile
from isthmus.cargo.formats.cuscar_profile import profile as profile_of
from isthmus.cargo.formats.edifact import CHARACTER_SETS, Separators
from isthmus.cargo.model import (
    Consignment,
    Container,
    Function,
    GoodsItem,
    Manifest,
    Party,
    Regime,
)
from isthmus.kernel.errors import Invalid

Part = str | None | Sequence[str | None]
Line = tuple[str, tuple[Part, ...]]

_TEXTS = 5  # components of one free text (C108), and of one name (C080)
_STREETS = 3  # components of one street (C059) in the older directory
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def write_cuscar(
    manifest: Manifest,
    consignments: Iterable[Consignment],
    *,
    profile: str,
    sender: str,
    recipient: str,
    control_reference: str,
    character_set: str = "UNOC",
    separators: Separators | None = None,
    prepared_at: datetime | None = None,
) -> bytes:
    """Write one interchange with one message: the manifest, its containers, its consignments.

    ``profile`` names the directory (``D.95B`` or ``D.11A``). A consignment of regime empty whose
    bill is the manifest's reference, a stroke and its container's number is written as equipment
    alone. The interchange says it was prepared when the manifest was issued, unless told.

    Raises ``Invalid`` when the records contradict each other, when a value has a character that
    the character set cannot write, or when a consignment's function cannot be told apart from the
    manifest's; ``NotFound`` when the profile is unknown.
    """
    marks = separators or Separators()
    rules = profile_of(profile)
    codec = CHARACTER_SETS.get(character_set)
    if codec is None:
        raise Invalid("encoding", "unknown character set", field="UNB 0001", value=character_set)
    moment = (prepared_at or manifest.issued_at or _EPOCH).astimezone(UTC)
    body = list(_message(manifest, list(consignments), rules))
    lines: list[Line] = [
        (
            "UNB",
            (
                (character_set, "4" if codec == "utf-8" else "3"),
                sender,
                recipient,
                (f"{moment:%y%m%d}", f"{moment:%H%M}"),
                control_reference,
            ),
        ),
        ("UNH", ("1", ("CUSCAR", *rules.directory))),
        *body,
        ("UNT", (str(len(body) + 2), "1")),
        ("UNZ", ("1", control_reference)),
    ]
    text = marks.advice() + "".join(_segment(tag, parts, marks) for tag, parts in lines)
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        value = text[error.start : error.end]
        message = f"not a character of {character_set}"
        raise Invalid("encoding", message, field="text", value=value) from None


def _message(
    manifest: Manifest, consignments: Sequence[Consignment], rules: Profile
) -> Iterator[Line]:
    yield from _head(manifest, rules)
    for box in _boxes(consignments):
        yield from _box(box, rules)
    bills = (c for c in consignments if not _is_empty_box(manifest, c))
    for order, consignment in enumerate(bills, start=1):
        yield from _consignment(order, manifest, consignment, rules)


def _head(manifest: Manifest, rules: Profile) -> Iterator[Line]:
    yield "BGM", ("85", manifest.reference, rules.code_of("functions", manifest.function.value))
    for name in ("issued_at", "cutoff_at"):
        yield from _date("head", name, getattr(manifest, name), rules)
    if manifest.carrier:
        qualifier = rules.qualifier("head", "NAD", "carrier")
        yield "NAD", (qualifier, (manifest.carrier, "172", "20"))
    ship: tuple[str | None, ...] = (None, None, None)
    if manifest.vessel_imo:
        ship = (manifest.vessel_imo, "146", "11")
    elif manifest.call_sign:
        ship = (manifest.call_sign, "103", None)
    vessel = (*ship, manifest.vessel_name)
    carrier = (manifest.carrier, "172", "20") if manifest.carrier else None
    yield "TDT", ("20", manifest.voyage, manifest.mode, None, carrier, None, None, vessel)
    if manifest.port:
        qualifier = rules.code_of("directions", manifest.direction) or "153"
        yield "LOC", (qualifier, (manifest.port, "139", "6"))
    elif manifest.direction:
        message = "a direction is told by the port, and there is none"
        raise Invalid("value_missing", message, field="port", value=manifest.reference)
    for name in ("arrival_at", "departure_at"):
        yield from _date("transport", name, getattr(manifest, name), rules)


def _date(scope: str, name: str, moment: datetime | None, rules: Profile) -> Iterator[Line]:
    if moment is not None:
        text = f"{moment.astimezone(UTC):%Y%m%d%H%M%S}"
        yield "DTM", ((rules.qualifier(scope, "DTM", name), text, "204"),)


def _boxes(consignments: Sequence[Consignment]) -> Iterable[Container]:
    """Every container once; the same number told in two ways is a contradiction."""
    boxes: dict[str, Container] = {}
    for consignment in consignments:
        for box in consignment.containers:
            if boxes.setdefault(box.number, box) != box:
                message = "one container is told in two ways"
                raise Invalid("value_impossible", message, field="container", value=box.number)
    return boxes.values()


def _is_empty_box(manifest: Manifest, consignment: Consignment) -> bool:
    return (
        consignment.regime is Regime.EMPTY
        and len(consignment.containers) == 1
        and consignment.bill == f"{manifest.reference}/{consignment.containers[0].number}"
    )


def _box(box: Container, rules: Profile) -> Iterator[Line]:
    size_type = (box.size_type, "102", "5") if box.size_type else None
    filling = None if box.empty is None else rules.code_of("fullness", box.empty)
    yield "EQD", ("CN", box.number, size_type, None, None, filling)
    for name in ("gross_kg", "tare_kg", "vgm_kg"):
        yield from _mass("equipment", name, getattr(box, name), rules)
    for seal in box.seals:
        affixer = rules.code_of("affixers", seal.affixed_by) if seal.affixed_by else None
        state = rules.code_of("states", seal.state) if seal.state else None
        kind = rules.code_of("kinds", seal.kind) if seal.kind else None
        tells_kind = any("kind" in rule.parts for rule in rules.rules("equipment", "SEL"))
        yield "SEL", (seal.number, affixer, state, None, kind if tells_kind else None)
    if box.temperature_c is not None:
        qualifier = rules.qualifier("equipment", "TMP", "temperature_c")
        yield "TMP", (qualifier, (_number(box.temperature_c), "CEL"))


def _mass(scope: str, name: str, mass: Decimal | None, rules: Profile) -> Iterator[Line]:
    if mass is not None:
        yield "MEA", ("AAE", rules.qualifier(scope, "MEA", name), ("KGM", _number(mass)))


def _consignment(
    order: int, manifest: Manifest, consignment: Consignment, rules: Profile
) -> Iterator[Line]:
    scope = "consignment"
    master = consignment.master_bill
    number = master if master and rules.number_is_master else consignment.bill
    yield "CNI", (str(order), (number, _status(manifest, consignment, rules)))
    own = rules.qualifier(scope, "RFF", "house" if master else "bill")
    yield "RFF", ((own, consignment.bill),)
    if master and not rules.number_is_master:
        yield "RFF", ((rules.qualifier(scope, "RFF", "master"), master),)
    named = {number for line in consignment.goods for number in line.containers}
    for box in consignment.containers:
        if box.number not in named:
            yield "RFF", ((rules.qualifier(scope, "RFF", "containers"), box.number),)
    if consignment.freight:
        kind = rules.qualifier(scope, "MOA", "freight")
        amount = _number(consignment.freight.amount)
        yield "MOA", ((kind, amount, consignment.freight.currency),)
    for name in ("origin", "loading", "transhipment", "discharge", "delivery"):
        place = getattr(consignment, f"place_{name}")
        if place:
            yield "LOC", (rules.qualifier(scope, "LOC", f"place_{name}"), (place, "139", "6"))
    nature = rules.code_of("natures", consignment.regime.value)
    if nature and rules.rules(scope, "GEI"):
        yield "GEI", (rules.qualifier(scope, "GEI", "regime"), (nature, "71"))
    elif nature:
        yield "GIS", ((nature, "71"),)
    for party in consignment.parties:
        yield from _party(party, rules)
    for line in consignment.goods:
        yield from _goods(line, rules)


def _status(manifest: Manifest, consignment: Consignment, rules: Profile) -> str | None:
    if consignment.function is manifest.function:
        return None
    if consignment.function is Function.CANCEL:
        return rules.code_of("statuses", Function.CANCEL.value)
    message = "a consignment can only be cancelled apart from its manifest"
    raise Invalid("value_impossible", message, field="function", value=consignment.function.value)


def _party(party: Party, rules: Profile) -> Iterator[Line]:
    name = _wrapped(party.name, rules.widths["name"])
    streets = list(party.address[: _STREETS - 1])
    streets += [" ".join(party.address[_STREETS - 1 :])]
    yield (
        "NAD",
        (
            rules.code_of("roles", party.role.value),
            (party.identifier,),
            None,
            [*name[: _TEXTS - 1], " ".join(name[_TEXTS - 1 :])],
            streets,
            party.city,
            None,
            party.postcode,
            party.country,
        ),
    )
    if party.contact:
        yield "CTA", ("IC",)
    for contact in party.contact:
        yield "COM", ((contact, "EM" if "@" in contact else "TE"),)


def _goods(line: GoodsItem, rules: Profile) -> Iterator[Line]:
    scope = "goods"
    outer, *inner = line.packages or (None,)
    yield "GID", (str(line.number), (str(outer.count), outer.kind) if outer else None)
    for packages in inner:
        if packages:
            yield "PAC", (str(packages.count), None, packages.kind)
    words = _wrapped(line.description, rules.widths["text"])
    for start in range(0, len(words), _TEXTS):
        subject = rules.qualifier(scope, "FTX", "description")
        yield "FTX", (subject, None, None, words[start : start + _TEXTS], line.language)
    for name in ("gross_kg", "net_kg"):
        yield from _mass(scope, name, getattr(line, name), rules)
    for number in line.containers:
        yield "SGP", (number,)
    if line.un_number:
        yield "DGS", ("IMD", None, line.un_number)
    marks = _wrapped(line.marks, 35)
    for start in range(0, len(marks), 10):
        yield "PCI", ("24", marks[start : start + 10])
    if line.hs:
        yield "CST", (str(line.number), (line.hs, "122"))
    if line.origin:
        yield "LOC", (rules.qualifier(scope, "LOC", "origin"), line.origin)
    for name in ("price", "customs_value"):
        money = getattr(line, name)
        if money is not None:
            kind = rules.qualifier(scope, "MOA", name)
            yield "MOA", ((kind, _number(money.amount), money.currency),)


def _wrapped(text: str | None, width: int) -> list[str]:
    """Break text at its spaces into parts of at most ``width``; a longer word is cut."""
    parts: list[str] = []
    for word in (text or "").split():
        if parts and len(parts[-1]) + 1 + len(word) <= width:
            parts[-1] += " " + word
        else:
            parts += [word[at : at + width] for at in range(0, len(word), width)]
    return parts


def _number(number: Decimal) -> str:
    return format(number, "f")


def _segment(tag: str, parts: Sequence[Part], marks: Separators) -> str:
    elements = [_element(part, marks) if part else "" for part in parts]
    while elements and not elements[-1]:
        elements.pop()
    return marks.element.join([tag, *elements]) + marks.terminator


def _element(part: Part, marks: Separators) -> str:
    if part is None:
        return ""
    if isinstance(part, str):
        return marks.escape(part)
    components = [marks.escape(component) if component else "" for component in part]
    while components and not components[-1]:
        components.pop()
    return marks.component.join(components)
