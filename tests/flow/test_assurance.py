"""The pack: what it says against what happened, a planted leak found, and one byte changed."""

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from exchange import conftest as nodes
from flow.test_partnership import START, alert, shared, two  # noqa: F401 - a fixture
from flow.treaties import act, bring, see
from isthmus.access.model import Purpose, Role
from isthmus.agreements import lifecycle
from isthmus.agreements.tables import suspension_table, version_table
from isthmus.cli import commands
from isthmus.cli.app import app
from isthmus.exchange.proof import ledger
from isthmus.exchange.trust import identity, signing
from isthmus.flow import assurance, assurance_pack, share
from isthmus.flow.share import Said
from isthmus.intelligence import items, retention
from isthmus.intelligence.model import ItemKind
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied, Invalid, NotFound
from isthmus.platform import audit
from isthmus.platform.audit import audit_table

from .partner_nodes import MARK, NL

make = nodes.make  # a fixture of the exchange's own tests
UNTIL = START + timedelta(days=7)


@pytest.fixture
def busy(two):  # noqa: F811 - the fixture
    """A week of shares, a correction, a recall, a refusal, and feedback given and owed."""
    loop, panama, rotterdam = two
    sent = [shared(loop, panama, rotterdam, 2) for _ in range(6)]
    officer = panama.staff[Role.SUPERVISOR]
    change = [{"path": "action", "value": "observe"}]
    made = act(panama, items.correct, officer, sent[0].id, change, "typing_error")
    bring(panama, rotterdam, made.correction)
    taken = act(panama, items.recall, officer, sent[1].id, "source_withdrawn")
    bring(panama, rotterdam, taken)
    came = [shared(loop, rotterdam, panama, 1) for _ in range(3)]
    feedback = {"about": came[0].id, "outcome": "used_for_targeting",
                "given_at": "2026-01-05T12:00:00Z"}  # fmt: skip
    told = act(panama, items.draft, panama.staff[Role.ANALYST], panama.code, ItemKind.FEEDBACK,
               feedback, MARK)  # fmt: skip
    act(panama, share.send, panama.staff[Role.ANALYST], told.id, NL)
    with pytest.raises(Denied):
        act(panama, share.send, panama.staff[Role.ANALYST], alert(panama).id, NL,
            Said(Purpose.JUDICIAL))  # fmt: skip
    loop.clock.moment = UNTIL + timedelta(days=1)
    act(panama, ledger.seal)
    act(panama, audit.seal)
    return loop, panama, rotterdam


def gathered(panama):
    return see(panama, assurance.gather, panama.staff[Role.AUDITOR], NL, START, UNTIL)


def made(panama):
    return assurance.make(panama.database, panama.staff[Role.AUDITOR], NL, START, UNTIL)


def test_the_pack_says_what_happened(busy):
    _, panama, _ = busy
    raw = made(panama)
    pack, findings = assurance_pack.verify(raw)
    assert findings == []
    said = pack.said
    assert (pack.node, pack.partner) == ("PA-ANA", NL)
    assert said["disclosures"]["shares"] == 7
    assert said["disclosures"]["clauses"] == [
        {"clause": "PA-NL-2026/art-10", "shares": 1},
        {"clause": "PA-NL-2026/art-3", "shares": 6},
    ]
    assert said["disclosures"]["about_persons"] == 0
    delivered = next(
        one for one in said["times"] if (one["measure"], one["agreement"]) == ("delivered", None)
    )
    assert (delivered["begun"], delivered["ended"], delivered["median_seconds"]) == (7, 6, 120)
    assert said["accuracy"]["ours"] == {"items": 7, "corrected": 1, "recalled": 1}
    assert {one["state"] for one in said["follow"]["sent"]} == {"asked"}
    assert said["feedback"]["asked"] == 3
    assert (said["feedback"]["given_in_time"], len(said["feedback"]["owed"])) == (1, 2)
    assert said["leaks"] == {"checked": 8, "not_checkable": {}, "found": []}
    assert said["audit"]["faults"] == 0
    assert said["audit"]["position"] > 0
    assert len(said["evidence"]) == 11  # six shares, two that follow, three that came
    assert said["ledger"]["checkpoint"]["payload"]["size"] > 11
    assert b"MSKU1234565" not in raw
    entries = see(panama, lambda tx: tx.execute(
        audit_table.select().where(audit_table.c.action == "assurance.make")
    ).mappings().all())  # fmt: skip
    assert [row["object_digest"].hex() for row in entries] == [pack.digest]


def test_the_node_speaks_the_same_whoever_makes_it(busy):
    _, panama, _ = busy
    first = gathered(panama)
    again = see(panama, assurance.gather, panama.staff[Role.DATA_PROTECTION_OFFICER], NL, START,
                UNTIL)  # fmt: skip
    assert first == again
    with pytest.raises(Denied):
        see(panama, assurance.gather, panama.staff[Role.ANALYST], NL, START, UNTIL)
    with pytest.raises(NotFound):
        see(panama, assurance.gather, panama.staff[Role.AUDITOR], "FR-DGDDI", START, UNTIL)
    with pytest.raises(Invalid):  # a period that is not over
        see(panama, assurance.gather, panama.staff[Role.AUDITOR], NL, START,
            UNTIL + timedelta(days=90))  # fmt: skip


def test_a_disclosure_that_no_clause_let_pass_is_found(busy):
    _, panama, _ = busy
    assert gathered(panama)["leaks"]["found"] == []
    # As if the agreement had been activated only on the second day.
    later = START + timedelta(days=2)
    act(panama, lambda tx: tx.execute(update(version_table).values(activated_at=later)))
    leaks = gathered(panama)["leaks"]
    assert {one["code"] for one in leaks["found"]} == {"no_clause"}
    assert len({one["envelope"] for one in leaks["found"]}) == 7  # all but the recall
    act(panama, lambda tx: tx.execute(update(version_table).values(activated_at=START)))
    assert gathered(panama)["leaks"]["found"] == []
    # As if a clause had been suspended before, and not only now.
    lawyer = panama.lawyers[0]
    act(panama, lifecycle.suspend, lawyer, "PA-NL-2026", "essential_interests", clause="art-3")
    assert gathered(panama)["leaks"]["found"] == []
    before = START - timedelta(hours=1)
    act(panama, lambda tx: tx.execute(update(suspension_table).values(since=before)))
    found = gathered(panama)["leaks"]["found"]
    assert {one["code"] for one in found} == {"not_in_force"}
    assert len({one["envelope"] for one in found}) == 6


def test_an_agreement_ended_later_makes_no_leak_of_what_went_before(busy):
    _, panama, _ = busy
    act(panama, lifecycle.withdraw, panama.lawyers[0], "PA-NL-2026@1")
    assert gathered(panama)["leaks"] == {"checked": 8, "not_checkable": {}, "found": []}


def test_what_is_erased_is_not_checkable_and_is_said_so(busy):
    loop, panama, rotterdam = busy
    loop.clock.moment = START + timedelta(days=3)
    item = shared(loop, panama, rotterdam, 1)
    loop.clock.moment = UNTIL + timedelta(days=1)
    act(panama, retention.erase_item, item.id, "era_test")
    leaks = gathered(panama)["leaks"]
    assert leaks["checked"] == 8
    assert leaks["not_checkable"] == {"item_not_kept": 1}


def test_an_altered_audit_row_shows_in_the_pack(busy):
    _, panama, _ = busy
    act(panama, lambda tx: tx.execute(
        update(audit_table).where(audit_table.c.action == "item.send").values(actor="somebody")
    ))  # fmt: skip
    told = gathered(panama)["audit"]
    assert told["faults"] == 7
    assert "altered" in told["first"][0]["message"]


def test_one_flipped_byte_anywhere_is_refused(busy):
    _, panama, _ = busy
    raw = made(panama)
    step = max(1, len(raw) // 400)
    for place in range(0, len(raw), step):
        for bit in (1, 4):
            changed = bytearray(raw)
            changed[place] ^= bit
            pack, findings = assurance_pack.verify(bytes(changed))
            assert pack is None, (place, bit)
            assert findings


def test_a_signature_over_another_kind_or_by_another_key_does_not_pass(busy):
    _, panama, rotterdam = busy
    raw = made(panama)
    pack, _ = assurance_pack.verify(raw)
    signer = see(panama, identity.signer)
    assert assurance_pack.verify(raw, [signer.fingerprint])[0] is not None
    other = see(rotterdam, identity.signer)
    assert assurance_pack.verify(raw, [other.fingerprint])[1][0].code == "key_not_pinned"
    assert assurance_pack.verify(signing.sign(signer, "receipt", pack.said))[0] is None
    forged = signing.sign(other, "assurance", pack.said)
    assert assurance_pack.verify(forged)[1][0].code == "key_unknown"
    late = {**pack.said, "evidence": [{**pack.said["evidence"][0], "index": 10**6}]}
    found = assurance_pack.verify(signing.sign(signer, "assurance", late))[1]
    assert (found[0].where, found[0].code) == ("evidence[0]", "evidence_outside")
    spaced = orjson.dumps(orjson.loads(raw), option=orjson.OPT_INDENT_2)
    assert assurance_pack.verify(spaced)[1][0].code == "statement_not_canonical"
    assert canonical(orjson.loads(raw)) == raw


def test_the_command_makes_and_verifies_a_pack(busy, tmp_path):
    loop, _, _ = busy
    folder = str(loop.node.folder.root)
    commands.load()
    run, file = CliRunner(), tmp_path / "pack.json"
    done = run.invoke(app, [
        "--node", folder, "assurance", NL, "--from", "2026-01-05", "--until", "2026-01-12",
        "--out", str(file), "--json",
    ])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert orjson.loads(done.stdout)["leaks"] == 0
    checked = run.invoke(app, ["assurance", "verify", str(file), "--json"])
    assert checked.exit_code == 0, checked.output
    assert orjson.loads(checked.stdout)["valid"] is True
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    assert run.invoke(app, ["assurance", "verify", str(file)]).exit_code == 2
