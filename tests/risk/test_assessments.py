"""Assessments as they are kept and told: what vouches for them, and their words."""

import pytest

from flow.loop_node import Loop, open_loop
from flow.test_score import current, enact
from flow.test_train import approve, taught
from isthmus.access.model import Role
from isthmus.kernel.errors import Damaged
from isthmus.platform import audit
from isthmus.reference.codelist import LOCALES
from isthmus.risk import assessments, stored
from isthmus.risk.objectives import Objective
from isthmus.risk.tables import ruleset_table


@pytest.fixture
def loop(tmp_path, clock):
    made = open_loop(tmp_path / "node", clock)
    yield made
    made.node.close()


def tell(loop: Loop, unit: str, locale: str = "en", *, deep: bool = False):
    officer = loop.people[Role.ANALYST]
    return loop.read(lambda tx: assessments.tell(tx, officer, unit, locale, deep=deep))


def test_the_audit_vouches_for_every_scored_batch(loop: Loop):
    loop.manifest(1, 2)
    loop.node.scorer.score_all()
    loop.manifest(3)
    loop.node.scorer.score_all()
    vouched = loop.read(lambda tx: audit.digests_of(tx, assessments.SCORED))
    batches = loop.read(stored.batches)
    assert vouched == {batch["id"]: batch["root"] for batch in batches}
    assert len(batches) == 2
    for batch in batches:
        rows = loop.read(lambda tx, name=batch["id"]: stored.assessments_in(tx, name))
        assert assessments.root_of(batch, [row["digest"] for row in rows]) == batch["root"]
        assert assessments.root_of(batch, [row["digest"] for row in rows[1:]]) != batch["root"]


def test_a_digest_needs_its_salt(loop: Loop):
    """Without the salt nobody can test a guess, so what is erased stays unknown."""
    loop.manifest(1)
    loop.node.scorer.score_all()
    (batch,) = loop.read(stored.batches)
    row = dict(loop.read(lambda tx: stored.assessments_in(tx, batch["id"]))[0])
    feature = {
        name.removeprefix("feature_"): value
        for name, value in row.items()
        if name.startswith("feature_") and name != "feature_row_id"
    }
    assert assessments.digest_of(row, feature) == row["digest"]
    assert assessments.digest_of(row, feature | {"salt": b"another"}) != row["digest"]


@pytest.mark.parametrize("locale", LOCALES)
def test_an_assessment_is_told_in_the_readers_words(loop: Loop, locale: str):
    enact(loop, explain=dict.fromkeys(LOCALES, "Goods: {description}"))
    loop.manifest(1)
    loop.node.scorer.score_all()
    told = {one.objective: one for one in tell(loop, loop.unit(1).id, locale)}
    contraband = told["contraband"]
    assert "Goods: FROZEN SHRIMP IN CARTONS" in contraband.reasons
    assert contraband.current
    assert contraband.basis == "rules_and_novelty"
    assert contraband.score >= 0.6
    assert contraband.contributions == ()


def test_a_reason_is_told_by_the_rules_it_was_made_with(loop: Loop):
    enact(loop, explain=dict.fromkeys(LOCALES, "As it was"))
    loop.manifest(1)
    loop.node.scorer.score_all()
    enact(loop, version=2, explain=dict.fromkeys(LOCALES, "As it is"))
    loop.node.scorer.score_all()
    newest, older = [o for o in tell(loop, loop.unit(1).id) if o.objective == "contraband"][:2]
    assert "As it is" in newest.reasons
    assert "As it was" in older.reasons
    assert (newest.current, older.current) == (True, False)


def test_what_the_model_weighed_is_told_on_demand(loop: Loop):
    taught(loop)
    model, _ = loop.node.trainer.train(loop.people[Role.ANALYST], Objective.REVENUE)
    approve(loop, model, loop.people[Role.SUPERVISOR], loop.people[Role.MODEL_APPROVER])
    loop.node.scorer.score_all()
    unit = current(loop, "revenue")[0]["unit_id"]
    quick = next(o for o in tell(loop, unit) if o.objective == "revenue")
    whole = next(o for o in tell(loop, unit, deep=True) if o.objective == "revenue")
    assert quick.contributions == ()
    assert any("estimated risk" in words for words in whole.contributions)
    assert quick.basis == whole.basis == "model"


def test_an_erased_assessment_keeps_its_place_and_says_nothing(loop: Loop):
    loop.manifest(1)
    loop.node.scorer.score_all()
    unit = loop.unit(1)
    officer = loop.people[Role.DATA_PROTECTION_OFFICER]
    loop.node.eraser.party(officer, unit.consignee_ref, "court_order")
    told = tell(loop, unit.id, deep=True)
    assert told
    assert all(one.reasons == one.contributions == one.shadow == () for one in told)


def test_an_assessment_whose_rules_are_gone_is_not_told(loop: Loop):
    loop.manifest(1)
    loop.node.scorer.score_all()
    loop.write(lambda tx: tx.execute(ruleset_table.delete()))
    with pytest.raises(Damaged):
        tell(loop, loop.unit(1).id)


def test_who_may_not_see_a_unit_is_told_nothing(loop: Loop):
    loop.manifest(1)
    loop.node.scorer.score_all()
    unit, terminal = loop.unit(1).id, loop.people[Role.TERMINAL]
    assert loop.read(lambda tx: assessments.tell(tx, terminal, unit, "en")) == []
    assert loop.read(lambda tx: assessments.tell_current(tx, terminal, [unit], "en")) == {}
    analyst = loop.people[Role.ANALYST]
    assert set(loop.read(lambda tx: assessments.tell_current(tx, analyst, [unit], "en"))) == {unit}
