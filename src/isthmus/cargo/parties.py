"""Parties as declared: how they are told apart, and under which rules their data are kept."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from isthmus.cargo.model import Party, PartyRole
from isthmus.platform.keys import KeyRing

# Default review and retention of trade data; a node's settings may shorten them.
REVIEW_AFTER = timedelta(days=365)
RETAIN_FOR = timedelta(days=5 * 365)

SHIPPER = (PartyRole.CONSIGNOR, PartyRole.EXPORTER, PartyRole.SELLER)
CONSIGNEE = (PartyRole.CONSIGNEE, PartyRole.IMPORTER, PartyRole.BUYER)
NOTIFY = (PartyRole.NOTIFY,)
DECLARANT = (PartyRole.DECLARANT, PartyRole.AGENT)
SELLER = (PartyRole.SELLER, PartyRole.EXPORTER)
FORWARDER = (PartyRole.FORWARDER, PartyRole.AGENT)

_TO_ORDER = re.compile(
    r"\bto\s+(the\s+)?order\b|\ba\s+la\s+orden\b|\bà\s+ordre\b|\baan\s+order\b|\bà\s+ordem\b"
)
_NOISE = re.compile(r"[^0-9a-z]+")


def folded(name: str) -> str:
    """Fold a name for comparing: no diacritics, case, punctuation or runs of spaces."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    ascii_part = _NOISE.sub(" ", plain).strip()
    # A name in another script folds to nothing in ASCII: keep its letters as they are.
    return ascii_part or " ".join(plain.split())


def reference(keys: KeyRing, party: Party) -> str | None:
    """Return what stands for a party in comparisons: its identifier, else a keyed hash of its
    name, or of its address where not even that is declared."""
    if party.identifier and (identifier := party.identifier.strip().upper()):
        return identifier
    if party.name and (name := folded(party.name)):
        return "~" + keys.pseudonym("party", name)
    where = folded(" ".join((*party.address, *party.contact, party.city or "")))
    return "~" + keys.pseudonym("party at", where) if where else None


def references(keys: KeyRing, text: str) -> tuple[str, ...]:
    """Return the references that what a person typed may stand for, likeliest first.

    A reference as shown (``~`` and a hash) is taken as it is; else the text may be an identifier
    or a name.
    """
    text = text.strip()
    if text.startswith("~"):
        return (text,)
    meant = (Party(PartyRole.CONSIGNEE, identifier=text), Party(PartyRole.CONSIGNEE, name=text))
    return tuple(ref for party in meant if (ref := reference(keys, party))) or (text,)


def subject(keys: KeyRing, ref: str) -> str:
    """Return the name of a party as a data subject: a keyed hash, which journals may hold."""
    return keys.pseudonym("subject", ref)


def first(parties: Sequence[Party], roles: tuple[PartyRole, ...]) -> Party | None:
    """Return the party of the first of these roles that is declared, in the order of the roles."""
    for role in roles:
        for party in parties:
            if party.role is role:
                return party
    return None


def to_order(party: Party | None) -> bool:
    """Whether a bill is made out to order, in any of the trade's usual wordings."""
    return bool(party and party.name and _TO_ORDER.search(party.name.casefold()))


def row(keys: KeyRing, record_id: str, party: Party, today: date) -> dict[str, Any] | None:
    """Return the row to keep of a declared party, with the rules its data stand under.

    A declared party is ``trader`` or ``declarant`` as a data subject until somebody says more;
    nothing tells from a declaration whether a name is a person's, so all are kept as if it were.
    """
    ref = reference(keys, party)
    if ref is None:
        return None
    address = {
        "lines": list(party.address),
        "city": party.city,
        "postcode": party.postcode,
        "country": party.country,
        "contact": list(party.contact),
    }
    return {
        "record_id": record_id,
        "role": party.role.value,
        "ref": ref,
        "subject": subject(keys, ref),
        "name": party.name,
        "identifier": party.identifier,
        "address": {name: value for name, value in address.items() if value} or None,
        "category": "declarant" if party.role in DECLARANT else "trader",
        "purpose": "targeting",
        "review_on": today + REVIEW_AFTER,
        "retain_until": today + RETAIN_FOR,
        "legal_hold": None,
    }
