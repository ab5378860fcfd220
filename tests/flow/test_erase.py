"""Erasing at a whole node: permission, hold, register, replay; not a byte of the name is left."""

import io
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from builders import person
from cargo.intake_samples import BOXES, declaration, party
from isthmus.access import service, sessions
from isthmus.access import store as access
from isthmus.access.model import Actor, Purpose, Role
from isthmus.access.service import RoleRequest
from isthmus.cargo.formats.declaration_json import encode_declaration
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import PartyRole
from isthmus.cargo.tables import unit_table
from isthmus.flow import erase
from isthmus.flow.erase import erasers, hold_party
from isthmus.flow.upkeep import watch_items
from isthmus.intelligence import arrivals, reading, retention
from isthmus.intelligence import store as item_store
from isthmus.intelligence.keeping import Came
from isthmus.intelligence.model import Classification, Handling, Item, ItemKind, Marking, Tlp
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Conflict, Denied, Erased, Invalid, NotFound
from isthmus.kernel.time import SetClock
from isthmus.node import Node
from isthmus.platform import documents
from isthmus.platform.database import Database
from isthmus.platform.erasure import Register
from isthmus.platform.settings import AgencySettings, NodeSettings, Settings
from isthmus.reference.codelist import LOCALES, code_list
from isthmus.risk.tables import feature_table

A, B, *_ = BOXES
NAME = "Zacarias Unmistakable"


@pytest.fixture
def node(tmp_path: Path):
    settings = Settings(
        node=NodeSettings(name="Panamá"),
        agency=AgencySettings(code="ANA", name="Aduanas", country="PA", office="PABLB"),
    )
    node = Node.create(tmp_path / "node", settings, SetClock())
    yield node
    node.close()


@pytest.fixture
def officer(node: Node) -> Actor:
    """The data protection officer of the node."""

    def build(tx):
        agency = access.agencies(tx)[0].id
        first = service.invite_first_administrator(tx, agency)
        access.update_person(tx, first.person_id, name="First", login="first@customs.example")
        return sessions.actor_of(tx, access.person(tx, first.person_id))

    administrator = node.database.write(build)
    return person(node.database, administrator, RoleRequest(Role.DATA_PROTECTION_OFFICER))


def _send(node: Node, *records, name: str = "d.json") -> str:
    content = canonical([encode_declaration(one) for one in records])
    return node.receiver.receive(node.actor, io.BytesIO(content), Source(name)).document_id


def _him(reference: str, *boxes: str):
    return declaration(reference, *boxes, parties=(party(PartyRole.IMPORTER, NAME),))


def _bytes(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())


def test_nothing_of_the_name_is_left_in_any_file(node, officer):
    one = _send(node, _him("D1", A))
    two = _send(node, declaration("D2", B))
    node.scorer.score_all()
    assert NAME.encode() in _bytes(node.folder.root)
    outcome = node.eraser.party(officer, NAME.lower(), "subject_request")
    assert outcome.scope["declared_party"] == outcome.scope["document"] == 1
    assert outcome.scope["feature_row"] >= 1
    assert outcome.flushed
    assert NAME.encode() not in _bytes(node.folder.root)
    with pytest.raises(Erased):
        node.database.read(lambda tx: list(documents.read(tx, one)))
    assert node.database.read(lambda tx: list(documents.read(tx, two)))
    again = node.eraser.party(officer, NAME, "subject_request")
    assert not any(again.scope.values())


def test_a_document_goes_with_its_records_and_may_come_again(node, officer):
    document = _send(node, _him("D1", A))
    node.scorer.score_all()
    outcome = node.eraser.document(officer, document, "received_in_error")
    assert outcome.scope["record"] == outcome.scope["unit"] == outcome.scope["document"] == 1
    bodies = node.database.read(lambda tx: tx.execute(select(feature_table.c.body)).scalars().all())
    assert bodies
    assert not any(bodies)
    assert NAME.encode() not in _bytes(node.folder.root)
    again = _send(node, _him("D1", A))
    assert again != document
    assert not any(node.eraser.document(officer, document, "unlawful").scope.values())


def test_a_document_that_is_erased_is_neither_read_on_nor_retried(node, officer):
    content = canonical([{"reference": "D1", "function": "original", "unknown": 1}])
    receipt = node.receiver.receive(node.actor, io.BytesIO(content), Source("d.json"))
    assert receipt.tally.quarantined == 1
    node.eraser.document(officer, receipt.document_id, "unlawful")
    with pytest.raises(Conflict):
        node.receiver.retry(node.actor, receipt.document_id)
    assert node.receiver.read_on(node.actor, receipt.document_id).state == "erased"


def test_a_hold_forbids_and_is_lifted_by_the_same_words(node, officer):
    document = _send(node, _him("D1", A))
    assert node.database.write(lambda tx: hold_party(tx, officer, NAME, "case-1")) == 1
    with pytest.raises(Conflict):
        node.eraser.party(officer, NAME, "subject_request")
    with pytest.raises(Conflict):
        node.eraser.document(officer, document, "unlawful")
    assert node.database.write(lambda tx: hold_party(tx, officer, NAME.upper(), None)) == 1
    assert node.eraser.party(officer, NAME, "subject_request").scope["declared_party"] == 1


def test_who_may_not_erase_does_not_and_a_ground_is_one_of_the_list(node, officer):
    document = _send(node, _him("D1", A))
    with pytest.raises(Denied):
        node.eraser.party(node.actor, NAME, "subject_request")
    with pytest.raises(Denied):
        node.eraser.document(node.actor, document, "subject_request")
    with pytest.raises(Invalid):
        node.eraser.party(officer, NAME, "because")
    assert NAME.encode() in _bytes(node.folder.root)


def test_every_ground_has_a_name_in_five_languages():
    for ground in erase.GROUNDS:
        assert len({code_list("erasure_grounds").label(ground, one) for one in LOCALES}) == 5


def _lookout(node: Node) -> Item:
    marking = Marking(None, frozenset({Handling.H0}), Classification.NONE, Tlp.GREEN)
    body = {
        "action": "assess",
        "persons": [{"category": "suspect", "name": NAME}],
        "containers": [A],
        "expires_at": "2026-02-01T00:00:00Z",
    }
    item = Item(
        "NL-DOUANE:alr_1",
        ItemKind.ALERT,
        1,
        "NL-DOUANE",
        datetime(2026, 1, 1, tzinfo=UTC),
        marking,
        body,
    )
    came = Came("env_1", "NL-DOUANE", frozenset({Purpose.TARGETING}))
    node.database.write(lambda tx: arrivals.receive(tx, node.actor, item, came))
    return item


def test_an_item_is_erased_unless_it_is_held(node, officer):
    item = _lookout(node)
    node.database.write(lambda tx: retention.set_hold(tx, officer, item.id, held=True))
    with pytest.raises(Conflict):
        node.eraser.item(officer, item.id, "subject_request")
    node.database.write(lambda tx: retention.set_hold(tx, officer, item.id, held=False))
    outcome = node.eraser.item(officer, item.id, "subject_request")
    assert outcome.scope == {"item_copy": 1, "document": 1}
    with pytest.raises(NotFound):
        node.eraser.item(officer, "NL-DOUANE:alr_2", "subject_request")
    known, held = node.database.read(lambda tx: reading.find(tx, officer, item.id))
    assert known["state"] == "erased"
    assert held[0].item is None


def test_upkeep_puts_out_of_use_what_ran_out(node):
    _lookout(node)
    assert len(node.database.read(reading.lookouts_in_force)) == 1
    node.database.clock.advance(timedelta(days=40))
    node.database.write(watch_items)
    rows = node.database.read(lambda tx: item_store.copies_of(tx, "NL-DOUANE:alr_1"))
    assert [row["state"] for row in rows] == ["expired"]


def test_an_older_copy_forgets_too_when_the_journal_is_replayed(node, officer, tmp_path):
    _send(node, _him("D1", A), declaration("D2", B))
    gone = _send(node, _him("D3", A), name="e.json")
    old = tmp_path / "old.db"
    node.database.flush_erased()
    shutil.copy(node.database.path, old)
    node.eraser.document(officer, gone, "unlawful")
    node.eraser.party(officer, NAME, "subject_request")
    database = Database(f"sqlite:///{old}", SetClock(), node.folder.keys())
    try:
        register = Register(database, node.folder, erasers(node.home))
        assert len(register.replay(node.register.journal.lines())) == 2
        keys = select(unit_table.c.declaration_key)
        left = set(database.read(lambda tx: tx.execute(keys).scalars().all()))
        assert register.replay(node.register.journal.lines()) == []
    finally:
        database.close()
    assert NAME.encode() not in old.read_bytes()
    assert left == {"D1", "D2", None}
