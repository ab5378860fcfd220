"""Random valid items of every kind, made from the schemas: for hypothesis, and by a plain seed.

``full_item`` fills every field; ``random_item`` fills what must be there and some of the rest.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from isthmus.intelligence import schema
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    Item,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.intelligence.validation import evaluation_list
from isthmus.kernel.time import isoformat
from isthmus.reference.codelist import code_list

KINDS = tuple(ItemKind)
NODES = ("PA-ANA", "NL-DOUANE", "BE-AAD", "FR-DGDDI", "MX-ANAM")
START = datetime(2026, 1, 1, tzinfo=UTC)
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_PLACES = ("PABLB", "PAMIT", "NLRTM", "BEANR", "FRLEH", "ECGYE", "COCTG", "MXZLO")
_COUNTRIES = ("PA", "NL", "BE", "FR", "MX", "EC", "CO", "LR")
_HS = ("08", "0803", "080390", "44", "7204", "310210")
_NAMES = ("Banano del Istmo", "Kade Zuid BV", "Élan Négoce", "A. Ríos", "J. de Wit", "Nuno Sá")
_TEXTS = (("es", "Visto junto al patio 4."), ("nl", "Zegel wijkt af."), ("fr", "À surveiller."))


def items(kinds: Sequence[ItemKind] = KINDS) -> st.SearchStrategy[Item]:
    """Items of these kinds, for hypothesis."""
    return st.builds(
        lambda seed, kind: random_item(Random(seed), kind),
        st.integers(0, 2**32 - 1),
        st.sampled_from(kinds),
    )


def random_item(random: Random, kind: ItemKind | None = None) -> Item:
    """Return a valid item: all that its schema requires, and some of what it allows."""
    return _item(random, kind or random.choice(KINDS), random.choice((0.1, 0.4, 0.8)))


def full_item(kind: ItemKind, seed: int = 7) -> Item:
    """Return a valid item with every field of its kind."""
    return _item(Random(seed), kind, 1.0)


def _item(random: Random, kind: ItemKind, share: float) -> Item:
    originator = random.choice(NODES)
    return Item(
        id=f"{originator}:{kind.value[:3]}_{_some(random, '0123456789abcdefghjkmnpqrstvwxyz', 26)}",
        kind=kind,
        version=random.randint(1, 4),
        originator=originator,
        made_at=_moment(random),
        marking=_marking(random),
        body=_body(random, kind, share),
    )


def _marking(random: Random) -> Marking:
    scale = random.choice(tuple(Scale))
    grade = [
        random.choice(code_list(evaluation_list(scale, of)).codes())
        for of in ("sources", "information")
    ]
    handling = frozenset(random.sample(tuple(Handling), random.randint(1, 2)))
    return Marking(
        evaluation=random.choice((None, Evaluation(scale, *grade))),
        handling=handling,
        classification=random.choice(tuple(Classification)),
        tlp=random.choice(tuple(Tlp)),
        handling_note="Alleen voor dit onderzoek." if Handling.H3 in handling else "",
    )


def _body(random: Random, kind: ItemKind, share: float) -> dict[str, Any]:
    if kind is ItemKind.CORRECTION:
        return _correction(random, share)
    document = schema.document(kind.value)
    wanted = set(document.get("required", ()))
    if "anyOf" in document:
        wanted |= set(random.choice(document["anyOf"])["required"])
    body = _object(random, document["properties"], wanted, share)
    if body.get("outcome") == "refused" and "refusal_grounds" not in body:
        body["refusal_grounds"] = ["ongoing_investigation"]
    for since, until in (("window_from", "window_until"), ("back_test_from", "back_test_until")):
        if since in body and until in body:
            body[since], body[until] = sorted((body[since], body[until]))
    if "links" in body:
        body["links"] = _links(random, body)
        if not body["links"]:
            del body["links"]
    return body


def _object(
    random: Random, properties: Mapping[str, Any], wanted: set[str], share: float
) -> dict[str, Any]:
    return {
        name: _value(random, one, share)
        for name, one in properties.items()
        if name in wanted or random.random() < share
    }


def _value(random: Random, given: Mapping[str, Any], share: float) -> Any:
    members = schema.members_of(given)
    if members is not None:
        wanted = set(schema.definition(given["items"]["$ref"]).get("required", ()))
        found = [_object(random, members, wanted, share) for _ in range(random.randint(1, 3))]
        # An object of a list says something.
        return [one or {next(iter(members)): _value(random, _first(members), 1)} for one in found]
    if given.get("type") == "integer":
        return random.randint(given["minimum"], given["maximum"])
    form = given["$ref"].rpartition("/")[2]
    if form in ("code", "codes"):
        codes = code_list(given["x-vocabulary"]).codes()
        return random.choice(codes) if form == "code" else _many(random, codes)
    return _FORMS[form](random)


def _first(members: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(iter(members.values()))
    return found


def _many(random: Random, values: Sequence[str]) -> list[str]:
    return sorted(random.sample(values, random.randint(1, min(3, len(values)))))


def _some(random: Random, letters: str, count: int) -> str:
    return "".join(random.choice(letters) for _ in range(count))


def _digits(random: Random, count: int) -> str:
    return _some(random, "0123456789", count)


def _moment(random: Random) -> datetime:
    return START + timedelta(seconds=random.randint(0, 31_000_000))


def _container(random: Random) -> str:
    return f"{_some(random, _LETTERS, 3)}U{_digits(random, 7)}"


def _text(random: Random) -> dict[str, str]:
    language, text = random.choice(_TEXTS)
    return {"language": language, "text": text}


def _reference(random: Random) -> str:
    return f"{random.choice(NODES)}:alr_{_digits(random, 10)}"


def _seizure(random: Random) -> str:
    return f"SZ-{random.choice(NODES)}-2026-{random.randint(1, 99_999)}"


def _decimal(random: Random) -> str:
    return f"{random.randint(0, 99_999)}.{random.randint(0, 99):02}"


_FORMS: Mapping[str, Any] = {
    "name": lambda random: random.choice(_NAMES),
    "names": lambda random: _many(random, _NAMES),
    "number": lambda random: f"{random.choice(('A', 'B', 'C'))}-{_digits(random, 6)}",
    "text": _text,
    "moment": lambda random: isoformat(_moment(random)),
    "date": lambda random: _moment(random).date().isoformat(),
    "decimal": _decimal,
    "money": lambda random: {"amount": _decimal(random), "currency": "USD"},
    "position": lambda random: {
        "latitude": round(random.uniform(-60, 60), 4),
        "longitude": round(random.uniform(-180, 180), 4),
    },
    "place": lambda random: random.choice(_PLACES),
    "places": lambda random: _many(random, _PLACES),
    "country": lambda random: random.choice(_COUNTRIES),
    "hs": lambda random: random.choice(_HS),
    "container": _container,
    "containers": lambda random: [_container(random) for _ in range(random.randint(1, 3))],
    "seal": lambda random: f"SL{_digits(random, 7)}",
    "seals": lambda random: [f"SL{_digits(random, 7)}" for _ in range(random.randint(1, 3))],
    "imo": lambda random: _digits(random, 7),
    "mmsi": lambda random: _digits(random, 9),
    "call_sign": lambda random: _some(random, _LETTERS, 5),
    "plate": lambda random: _some(random, _LETTERS, 6),
    "item": _reference,
    "chain": lambda random: f"{random.choice(NODES)}:chn_{_digits(random, 10)}",
    "node": lambda random: random.choice(NODES),
    "seizure_number": _seizure,
    "seizure_numbers": lambda random: [_seizure(random)],
    "version": lambda random: random.randint(1, 9),
    "grade": lambda random: "A",  # these two are put right once the body stands
    "end": lambda random: "persons.0",
    "parameter_name": lambda random: random.choice(("hours", "least_kg", "share")),
    "condition": lambda random: {
        "all": [
            {"field": "seal_changes", "op": "gt", "value": {"threshold": "least_kg"}},
            {"not": {"field": "regime", "op": "in", "value": ["import", "export"]}},
        ]
    },
}


def _links(random: Random, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    ends = [
        f"{name}.{place}"
        for name in ("persons", "companies", "vessels", "vehicles", "documents")
        for place in range(len(body.get(name, ())))
    ]
    ends += body.get("containers", ())
    if not ends:
        return []
    found = []
    for link in body["links"]:
        link["from"], link["to"] = random.choice(ends), random.choice(ends)
        scale = random.choice(tuple(Scale))
        for name, of in (("source", "sources"), ("information", "information")):
            if name in link:
                link["scale"] = scale.value
                link[name] = random.choice(code_list(evaluation_list(scale, of)).codes())
        found.append(link)
    return found


def _correction(random: Random, share: float) -> dict[str, Any]:
    """A correction of paths that an item of some kind has, with values that fit there."""
    about = random.choice([kind for kind in KINDS if kind is not ItemKind.CORRECTION])
    wrong, right = (_item(random, about, max(share, 0.5)) for _ in range(2))
    paths = [
        path for path in wrong.paths() if path in right.paths() and not path.startswith("links.")
    ]
    changes = []
    for path in random.sample(paths, min(len(paths), random.randint(1, 4))):
        change: dict[str, Any] = {"path": path, "value": right.paths()[path]}
        field = schema.field_at(wrong, path)
        if field is not None and field.personal:
            change["category"] = schema.subject_of(wrong, path) or "unclassified"
        elif share < 1 and random.random() < 0.1:
            del change["value"]
        changes.append(change)
    body: dict[str, Any] = {
        "about": wrong.id,
        "about_kind": about.value,
        "version": wrong.version,
        "reason": random.choice(code_list("correction_reasons").codes()),
        "changes": changes,
    }
    if random.random() < share:
        body["remarks"] = _text(random)
    return body
