"""The directory of partners: whom this node exchanges with, and the ceremony that begins it.

A partner is entered from its card. A first person compares both fingerprints with the partner
over another channel and types what they heard; a second person does the same; then it is trusted.
A key rotated in order needs no ceremony, for the old key names the new. After a compromise the
old keys count for nothing and the ceremony begins anew.
"""

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor
from isthmus.access.permission import Permission
from isthmus.exchange.model import Caps, Partner, PartnerState
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import identity, key_store
from isthmus.exchange.trust.identity import Card
from isthmus.exchange.trust.signing import Keys, PublicKey, public_key
from isthmus.kernel.errors import Conflict, Denied, Invalid, NotFound
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction


def of_row(row: Row) -> Partner:
    """Read an entry of the directory."""
    return Partner(
        row["code"],
        row["country"],
        row["name"],
        row["address"],
        PartnerState(row["state"]),
        row["signing"],
        row["certificate"],
        row["compared_by"],
        row["trusted_by"],
        Caps.of(row["caps"]),
        row["epoch"],
        row["since"],
    )


def partner(tx: Transaction, code: str) -> Partner:
    """Return a partner; raises ``NotFound``."""
    row = key_store.partner(tx, code)
    if row is None:
        raise NotFound("partner_unknown", "no such partner", partner=code)
    return of_row(row)


def trusted(tx: Transaction, code: str) -> Partner:
    """Return a partner that may be exchanged with; raises ``Denied`` otherwise."""
    row = key_store.partner(tx, code)
    if row is None or row["state"] != PartnerState.TRUSTED.value:
        raise Denied("partner_not_trusted", "nothing is exchanged with this node", partner=code)
    return of_row(row)


def directory(tx: Transaction, actor: Actor) -> list[Partner]:
    """Return the partners that somebody may see."""
    rows = key_store.directory(tx, scope(actor, Permission.PARTNER_READ))
    return [of_row(row) for row in rows]


def keys_of(tx: Transaction, code: str, now: datetime | None = None) -> Keys:
    """Return what finds the keys by which a partner may sign at a moment (now if none)."""
    moment = now or tx.now

    def find(fingerprint: str) -> PublicKey | None:
        row = key_store.partner_key(tx, fingerprint)
        if row is None or row["partner"] != code or row["kind"] != "signing":
            return None
        if not row["since"] <= moment < row["until"]:
            return None
        return public_key(row["public"])

    return find


def add(tx: Transaction, actor: Actor, raw: bytes, address: str | None = None) -> Partner:
    """Propose a partner from its card; nothing is exchanged before two people compared it."""
    check(tx, actor, Permission.PARTNER_PROPOSE)
    card = identity.read_card(raw)
    if card.node == identity.me(tx)["node"]:
        raise Invalid("partner_is_self", "this card is the node's own", node=card.node)
    if key_store.partner(tx, card.node) is not None:
        raise Conflict("partner_known", "in the directory already", partner=card.node)
    key_store.insert_partner(
        tx,
        {
            "code": card.node,
            "country": card.country,
            "name": card.name,
            "address": card.address if address is None else address,
            "state": PartnerState.PROPOSED.value,
            "signing": card.signing_fingerprint,
            "certificate": card.certificate_fingerprint,
            "compared_by": None,
            "trusted_by": None,
            "caps": Caps().plain(),
            "epoch": card.epoch,
            "since": tx.now,
            "seen_at": None,
        },
    )
    _enter_keys(tx, card)
    _note(tx, actor, "partner.proposed", card.node, signing=card.signing_fingerprint)
    return partner(tx, card.node)


def _enter_keys(tx: Transaction, card: Card) -> None:
    public = (
        ("signing", card.signing_fingerprint, card.signing.public_bytes_raw()),
        ("tls", card.certificate_fingerprint, card.certificate.public_bytes(Encoding.DER)),
    )
    for kind, fingerprint, held in public:
        known = key_store.partner_key(tx, fingerprint)
        if known is not None and (known["partner"] != card.node or known["state"] == "compromised"):
            raise Denied("key_refused", "this key is compromised or another's", key=fingerprint)
        key_store.insert_partner_key(
            tx,
            {
                "fingerprint": fingerprint,
                "partner": card.node,
                "kind": kind,
                "public": held,
                "state": "current",
                "since": card.since,
                "until": card.until,
            },
        )


def compare(tx: Transaction, actor: Actor, code: str, signing: str, certificate: str) -> Partner:
    """Note that a first person compared both fingerprints over another channel."""
    check(tx, actor, Permission.PARTNER_COMPARE)
    found = _compared(tx, code, signing, certificate, PartnerState.PROPOSED)
    key_store.change_partner(
        tx, code, state=PartnerState.COMPARED.value, compared_by=actor.id, since=tx.now
    )
    _note(tx, actor, "partner.compared", code, signing=found.signing)
    return partner(tx, code)


def trust(tx: Transaction, actor: Actor, code: str, signing: str, certificate: str) -> Partner:
    """Trust a partner whose fingerprints a second person compared, too."""
    check(tx, actor, Permission.PARTNER_COMPARE)
    found = _compared(tx, code, signing, certificate, PartnerState.COMPARED)
    if found.compared_by == actor.id:
        raise Denied("second_person_needed", "somebody else has to compare it, too", partner=code)
    key_store.change_partner(
        tx, code, state=PartnerState.TRUSTED.value, trusted_by=actor.id, since=tx.now
    )
    _note(tx, actor, "partner.trusted", code, signing=found.signing)
    tx.after_commit(tx.wake)
    return partner(tx, code)


def _compared(
    tx: Transaction, code: str, signing: str, certificate: str, state: PartnerState
) -> Partner:
    found = partner(tx, code)
    if found.state is not state:
        raise Conflict("partner_state", f"the partner is {found.state.value}", partner=code)
    for typed, held, what in (
        (signing, found.signing, "signing key"),
        (certificate, found.certificate, "certificate"),
    ):
        if "".join(typed.lower().split()).replace(":", "") != held:
            raise Denied("fingerprint_differs", f"not the {what} of the card", partner=code)
    return found


def suspend(tx: Transaction, actor: Actor, code: str) -> Partner:
    """Stop all exchange with a partner at once; what waits keeps waiting."""
    check(tx, actor, Permission.PARTNER_COMPARE)
    partner(tx, code)
    key_store.change_partner(tx, code, state=PartnerState.SUSPENDED.value, since=tx.now)
    _note(tx, actor, "partner.suspended", code)
    return partner(tx, code)


def resume(tx: Transaction, actor: Actor, code: str) -> Partner:
    """Begin the ceremony anew for a suspended partner."""
    check(tx, actor, Permission.PARTNER_PROPOSE)
    if partner(tx, code).state is not PartnerState.SUSPENDED:
        raise Conflict("partner_state", "only a suspended partner can be resumed", partner=code)
    _begin_anew(tx, code)
    _note(tx, actor, "partner.resumed", code)
    return partner(tx, code)


def _begin_anew(tx: Transaction, code: str, **values: Any) -> None:
    key_store.change_partner(
        tx,
        code,
        state=PartnerState.PROPOSED.value,
        compared_by=None,
        trusted_by=None,
        since=tx.now,
        **values,
    )


def replace(tx: Transaction, actor: Actor, raw: bytes) -> Partner:
    """Take a new card after a compromise: old keys count for nothing, the ceremony begins anew."""
    check(tx, actor, Permission.PARTNER_PROPOSE)
    card = identity.read_card(raw)
    partner(tx, card.node)
    key_store.compromise_keys(tx, card.node, tx.now)
    _enter_keys(tx, card)
    _begin_anew(
        tx,
        card.node,
        signing=card.signing_fingerprint,
        certificate=card.certificate_fingerprint,
        address=card.address,
    )
    _note(tx, actor, "partner.replaced", card.node, signing=card.signing_fingerprint)
    return partner(tx, card.node)


def rotated(tx: Transaction, raw: bytes) -> Partner:
    """Take a partner's next key, which its key in force names; no ceremony is needed."""
    card = identity.read_card(raw)
    found = trusted(tx, card.node)
    old = keys_of(tx, card.node)(card.succeeds)
    if card.signing_fingerprint == found.signing:
        return found
    if old is None or card.succeeds != found.signing or not identity.succeeds(card, old):
        raise Denied("succession_wrong", "the key in force does not name this one", node=card.node)
    _enter_keys(tx, card)
    key_store.change_partner(
        tx,
        card.node,
        signing=card.signing_fingerprint,
        certificate=card.certificate_fingerprint,
    )
    audit.record(
        tx, "node", "partner.rotated", "partner", card.node, signing=card.signing_fingerprint
    )
    events.emit(tx, "partner.changed", card.node)
    return partner(tx, card.node)


def set_caps(tx: Transaction, actor: Actor, code: str, **caps: int) -> Partner:
    """Change what a partner may send at most."""
    check(tx, actor, Permission.PARTNER_COMPARE)
    found = partner(tx, code)
    wanted = Caps.of({**found.caps.plain(), **caps})
    key_store.change_partner(tx, code, caps=wanted.plain())
    _note(tx, actor, "partner.capped", code, **caps)
    return partner(tx, code)


def alarm(tx: Transaction, code: str, alarm_code: str, **detail: Any) -> None:
    """Raise an alarm about a partner, once for each code that stands open."""
    if key_store.open_alarm(tx, code, alarm_code):
        return
    row = {
        "id": new_id("xal"),
        "partner": code,
        "at": tx.now,
        "code": alarm_code,
        "detail": detail,
        "ended_at": None,
    }
    key_store.insert_alarm(tx, row)
    audit.record(tx, "node", "exchange.alarm", "partner", code, code=alarm_code)
    events.emit(tx, "exchange.alarm", code, code=alarm_code)


def _note(tx: Transaction, actor: Actor, act: str, code: str, **detail: Any) -> None:
    audit.record(tx, actor.id, act, "partner", code, agency=actor.agency, **detail)
    events.emit(tx, "partner.changed", code)
