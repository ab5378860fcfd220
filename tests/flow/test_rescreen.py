"""Screening again the difference of a list leaves what screening everything anew would."""

import random
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from flow.listed_node import lookouts, row
from flow.loop_node import Loop, box
from isthmus.access.model import Role
from isthmus.cargo import party_lines
from isthmus.flow.rescreen import Rescreener, difference
from isthmus.flow.screen import line_of
from isthmus.parties import hits
from isthmus.parties.hit import HitState
from isthmus.parties.hit_store import Wanted
from isthmus.parties.listed import load
from isthmus.parties.tables import hit_table, rescreening_table

FIRST = ("QUARZO", "PEREGRINO", "ESTRELLA", "CONSTELACION", "BRUMA", "CORDILLERA")
SECOND = ("INVENTADA", "FICTICIA", "IMAGINARIA", "SUPUESTA")
FORMS = ("S.A.", "LTD", "TRADING", "NAVEGACION S.A.", "")


def name(draw: random.Random) -> str:
    return " ".join(draw.choice(part) for part in (FIRST, SECOND, FORMS)).strip()


def slip(draw: random.Random, text: str) -> str:
    at = draw.randrange(1, len(text) - 1)
    return draw.choice((text, text[:at] + text[at + 1 :], f"C/O {text}", f"{text}, COLON"))


def version(draw: random.Random, old: Sequence[str]) -> list[str]:
    """The next version of a list: some entries gone, some changed, some new."""
    kept = [one for one in old if draw.random() > 0.2]
    for at in range(len(kept)):
        if draw.random() < 0.2:
            key = kept[at].split('"')[1]
            kept[at] = row(key, name(draw), numbers=f"imo:{draw.choice(('9321483', '9074729'))}")
    return [*kept, *(row(f"K{draw.randrange(10**6)}", name(draw)) for _ in range(3))]


def standing(loop: Loop) -> set[tuple[str, str, float, str, str]]:
    rows = loop.read(lambda tx: list(tx.execute(select(hit_table)).mappings()))
    return {
        (one["line"], one["key"], one["score"], one["basis"], one["facts"])
        for one in rows
        if one["state"] != HitState.ENDED
    }


def anew(loop: Loop) -> set[tuple[str, str, float, str, str]]:
    """What screening every known line with the lists in force gives."""
    from isthmus.cargo.parties import RETAIN_FOR
    from isthmus.parties.hit import container_line, facts, vessel_line

    def lines(tx):
        rows = list(party_lines.screened_after(tx, 0))
        until = (tx.now + RETAIN_FOR).date()
        things = [vessel_line("9321483", until), container_line(box(1), until)]
        return [*(line_of(tx.keys, one) for one in rows), *things]

    keys = loop.node.database.keys
    listed = loop.read(load)
    return {
        (line.id, match.key, match.score, match.basis.value, facts(keys, match))
        for line in loop.read(lines)
        for match in listed.search(line.text)
    }


@pytest.mark.parametrize("seed", range(6))
def test_the_difference_gives_what_everything_anew_gives(loop: Loop, seed: int):
    draw = random.Random(seed)
    rows = version(draw, [])
    lookouts(loop, rows)
    for number in range(1, 25):
        loop.manifest(number, consignee=slip(draw, name(draw)))
    loop.node.scorer.score_all()
    loop.node.rescreener.rescreen_due()
    for _ in range(4):
        rows = version(draw, rows)
        lookouts(loop, rows)
        number += 1
        loop.manifest(number, consignee=slip(draw, name(draw)))  # known to the next round only
        if draw.random() < 0.5:
            loop.node.scorer.score_all()
        loop.node.rescreener.rescreen_due()
        loop.node.scorer.score_all()
        assert standing(loop) == anew(loop)
    assert standing(loop)


def test_a_rescreening_leaves_its_outcome_also_nothing(any_loop: Loop):
    loop = any_loop
    loop.manifest(1)
    loop.node.scorer.score_all()
    lookouts(loop, [row("L1", "NOBODY WHO IS HERE LTD")])
    assert loop.node.rescreener.rescreen_due() == 1
    assert loop.node.rescreener.rescreen_due() == 0
    (done,) = loop.read(lambda tx: list(tx.execute(select(rescreening_table)).mappings()))
    assert {name: done[name] for name in ("list", "from_version", "to_version", "entries")} == {
        "list": "csv", "from_version": 0, "to_version": 1, "entries": 1,
    }  # fmt: skip
    assert (done["lines"], done["found"], done["ended"], done["again"]) == (4, 0, 0, 0)


def test_what_is_open_is_scored_again_when_its_party_gets_listed(any_loop: Loop):
    any_loop.manifest(1, consignee="QUARZO INVENTADA TRADING")
    any_loop.manifest(2)
    any_loop.node.scorer.score_all()
    lookouts(any_loop, [row("L1", "QUARZO INVENTADA TRADING S.A.")])
    any_loop.node.rescreener.rescreen_due()
    assert any_loop.node.scorer.score_due() == 1
    desk = any_loop.read(lambda tx: hits.desk(tx, any_loop.people[Role.ANALYST], Wanted(), 10))
    assert [one["key"] for one in desk] == ["L1"]


def test_versions_that_nobody_followed_up_are_followed_up_together(loop: Loop):
    loop.manifest(1, consignee="QUARZO INVENTADA TRADING")
    loop.node.scorer.score_all()
    lookouts(loop, [row("L1", "BRUMA SUPUESTA LTD")])
    lookouts(loop, [row("L1", "BRUMA SUPUESTA LTD"), row("L2", "QUARZO INVENTADA TRADING")])
    lookouts(loop, [row("L2", "QUARZO INVENTADA TRADING")])
    change = loop.read(lambda tx: difference(tx, "csv"))
    assert (change.first, change.last, set(change.now)) == (0, 3, {"L2"})
    another = Rescreener(loop.node.database)  # a second process
    assert another.rescreen_due() == 1
    assert loop.node.rescreener.rescreen_due() == 0


def test_an_erased_party_is_no_longer_known(loop: Loop):
    loop.manifest(1, consignee="QUARZO INVENTADA TRADING")
    loop.node.scorer.score_all()
    lookouts(loop, [row("L1", "BRUMA SUPUESTA LTD")])
    loop.node.rescreener.rescreen_due()
    officer = loop.people[Role.DATA_PROTECTION_OFFICER]
    loop.node.eraser.party(officer, "QUARZO INVENTADA TRADING", "subject_request")
    lookouts(loop, [row("L2", "QUARZO INVENTADA TRADING")])
    loop.node.rescreener.rescreen_due()
    assert standing(loop) == set()
