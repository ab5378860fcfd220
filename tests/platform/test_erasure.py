"""Lawful erasure: gone from every file, noted before it is acknowledged, never undone."""

import random
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Index, MetaData, Table, Text, delete, select

from isthmus.kernel.errors import Damaged, Denied, Invalid
from isthmus.platform import audit, documents, jobs, upkeep
from isthmus.platform.erasure import Erasure, Register, Subject, erasure_table, place_table
from isthmus.platform.journal import Journal
from isthmus.platform.transaction import Transaction
from isthmus.platform.worker import Worker

Node = Any  # see conftest

person = Table(
    "person_of_test",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("remark", Text),
)
Index("ix_person_of_test_name", person.c.name)


def _erase_person(tx: Transaction, erasure: Erasure) -> Mapping[str, int]:
    gone = tx.execute(delete(person).where(person.c.id == erasure.subject.id)).rowcount
    return {"person": gone}


@pytest.fixture
def people(node: Node) -> Node:
    person.create(node.database.migrator())
    node.register = Register(
        node.database, node.folder, {**node.register.erasers, "person": (_erase_person,)}
    )
    return node


def _name(number: int) -> str:
    return f"Zacarias Unmistakable {number:05d}"


def _add(node: Node, numbers: list[int]) -> None:
    rows = [{"id": f"per_{n}", "name": _name(n), "remark": _name(n) * (n % 90)} for n in numbers]
    for start in range(0, len(rows), 50):
        node.database.write(lambda tx, lot=rows[start : start + 50]: tx.insert(person, lot))


def _everywhere(node: Node) -> bytes:
    return b"".join(
        path.read_bytes() for path in sorted(node.folder.root.rglob("*")) if path.is_file()
    )


def test_no_byte_of_what_was_erased_stays_in_any_file(people: Node) -> None:
    if not people.database.is_sqlite:
        pytest.skip("PostgreSQL keeps its files to itself")
    numbers = list(range(1500))
    random.Random(7).shuffle(numbers)
    _add(people, numbers)
    people.database.flush_erased()
    erased = random.Random(8).sample(numbers, 60)
    assert all(_name(n).encode() in _everywhere(people) for n in erased)
    for number in erased:
        outcome = people.register.erase(
            Subject("person", f"per_{number}"), actor="usr_dpo", basis="retention"
        )
        assert (dict(outcome.scope), outcome.flushed) == ({"person": 1}, True)
    left = _everywhere(people)
    assert [n for n in erased if _name(n).encode() in left] == []
    assert all(_name(n).encode() in left for n in set(numbers) - set(erased))


def test_a_reader_that_holds_old_pages_delays_the_flush_and_a_job_does_it(people: Node) -> None:
    if not people.database.is_sqlite:
        pytest.skip("PostgreSQL keeps its files to itself")
    _add(people, [1])
    people.database.flush_erased()
    begun, gate = threading.Event(), threading.Event()

    def read(tx: Transaction) -> None:
        tx.execute(select(person.c.id)).all()
        begun.set()
        gate.wait(20)

    reader = threading.Thread(target=lambda: people.database.read(read))
    reader.start()
    assert begun.wait(10)
    patient = people.database.flush_erased
    people.database.flush_erased = lambda: patient(0.1)  # type: ignore[method-assign]
    outcome = people.register.erase(Subject("person", "per_1"), actor="u", basis="b")
    assert not outcome.flushed
    gate.set()
    reader.join()
    worker = Worker(people.database, upkeep.handlers(people.database, people.folder))
    assert worker.run_due() == 1
    assert people.database.read(jobs.counts)["queued"] == 0
    assert _name(1).encode() not in _everywhere(people)


def test_an_erasure_is_noted_audited_and_kept_in_the_register(node: Node) -> None:
    document = node.receive(b"content")
    erasure = node.erase(document)
    row = node.database.read(lambda tx: tx.execute(select(erasure_table)).mappings().one())
    assert (row["id"], row["actor"], row["basis"], row["scope"]) == (
        erasure,
        "usr_dpo",
        "retention",
        {"document": 1},
    )
    (line,) = Journal(node.folder.erasures).lines()
    assert (line["id"], line["kind"], line["subject"]) == (erasure, "document", document)
    entry = node.database.read(
        lambda tx: (
            tx.execute(
                select(audit.audit_table).where(audit.audit_table.c.action == "erasure.record")
            )
            .mappings()
            .one()
        )
    )
    assert entry["object_id"] == erasure
    assert document not in str(dict(entry))


def test_a_refused_erasure_erases_nothing_and_is_noted_nowhere(node: Node) -> None:
    document = node.receive(b"content")

    def held(tx: Transaction) -> None:
        raise Denied("legal_hold", "under legal hold")

    with pytest.raises(Denied):
        node.register.erase(Subject("document", document), actor="u", basis="b", check=held)
    with pytest.raises(Invalid):
        node.register.erase(Subject("ghost", "x"), actor="u", basis="b")
    assert not node.folder.erasures.exists()
    assert node.database.read(lambda tx: documents.verify(tx, document))


def test_replay_is_idempotent_and_bears_what_is_not_there(node: Node) -> None:
    document = node.receive(b"content")
    node.erase(document)
    lines = Journal(node.folder.erasures).lines()
    assert node.register.replay(lines) == []
    other = {**lines[0], "id": "ers_other", "subject": "doc_never_was"}
    assert node.register.replay([*lines, other, other]) == ["ers_other"]
    assert [line["id"] for line in Journal(node.folder.erasures).lines()] == [
        lines[0]["id"],
        "ers_other",
    ]


def test_an_erasure_cut_off_before_its_commit_is_completed_at_the_next_start(
    node: Node,
) -> None:
    document = node.receive(b"content")

    def crash(tx: Transaction, erasure: Erasure) -> Mapping[str, int]:
        node.register.journal.begin([erasure.line()])
        raise SystemError("power cut")

    broken = Register(node.database, node.folder, {"document": (crash,)})
    with pytest.raises(SystemError):
        broken.erase(Subject("document", document), actor="u", basis="b")
    assert node.database.read(lambda tx: documents.verify(tx, document)) is True
    assert len(node.register.complete()) == 1
    assert node.database.read(lambda tx: documents.verify(tx, document)) is False
    assert node.register.complete() == []


def test_backups_hear_of_erasures_at_once_or_when_they_are_back(node: Node, tmp_path: Path) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    for place in (near, far):
        place.mkdir()
        node.register.add_place(place)
    far.rename(tmp_path / "shelf")
    document = node.receive(b"content")
    outcome = node.register.erase(Subject("document", document), actor="u", basis="b")
    assert outcome.unreached == (str(far.resolve()),)
    assert len(Journal(near / "erasures.jsonl").lines()) == 1
    (tmp_path / "shelf").rename(far)
    assert node.register.complete() == []
    assert Journal(far / "erasures.jsonl").lines()[0]["id"] == outcome.id
    missed = node.database.read(
        lambda tx: set(tx.execute(select(place_table.c.missed_at)).scalars())
    )
    assert missed == {None}


def test_a_torn_last_line_is_dropped_and_any_other_change_is_damage(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "erasures.jsonl")
    lines = [{"id": f"ers_{n}", "kind": "document", "subject": f"doc_{n}"} for n in range(4)]
    journal.begin(lines[:3])
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + b'{"id":"ers_3","ki')
    assert len(journal.lines()) == 3
    journal.append(lines)
    assert [line["id"] for line in journal.lines()] == [line["id"] for line in lines]
    good = journal.path.read_bytes()
    for place in range(len(good) - 1):
        if good[place : place + 1] == b"\n" or good.rfind(b"\n", 0, -1) < place:
            continue  # the last line's own end is covered by the next line's hash
        journal.path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(Damaged):
            journal.lines()


def test_a_journal_knows_when_it_was_moved(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "erasures.jsonl")
    journal.begin()
    assert not journal.moved()
    (tmp_path / "copy").mkdir()
    copy = journal.path.rename(tmp_path / "copy" / "erasures.jsonl")
    assert Journal(copy).moved()
    assert Journal(copy).begun_at() == tmp_path / "erasures.jsonl"
