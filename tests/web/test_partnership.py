"""The desk of partnerships in five languages: figures, their rows, the pack, a profile adopted."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from api.two_nodes import PARTNER, Two, make_two
from exchange.test_post import carry
from flow.partner_nodes import MARK
from flow.test_profiles import RULE
from isthmus.access.model import Role
from isthmus.exchange import post_store
from isthmus.exchange.model import Lane
from isthmus.exchange.proof import ledger
from isthmus.flow import accept, assurance_pack, profiles, share
from isthmus.kernel.time import SetClock
from isthmus.reference.codelist import LOCALES
from isthmus.risk import rulebook
from isthmus.risk.rules import RuleState
from isthmus.web.app import mount
from web.conftest import browser, csrf

START = datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Iterator[Two]:
    made = make_two(tmp_path_factory.mktemp("partnership"), SetClock(START))
    mount(made.api.app, made.api.node)
    for number in range(6):
        item = made.alert()
        made.send(item)
        made.api.clock.advance(timedelta(minutes=number + 1))
        made.carry()
        made.arrive(item)
    made.api.clock.advance(timedelta(minutes=1))
    made.here.database.write(ledger.seal)
    yield made
    made.api.node.close()
    made.there.database.close()


@pytest.fixture(scope="module")
def profile(two) -> str:
    """A profile that the partner sent, with a part that no rule here can read."""
    there, author = two.there, two.there.staff[Role.ANALYST]
    key = there.database.write(lambda tx: rulebook.propose(tx, author, RULE))
    there.database.write(lambda tx: rulebook.advance(tx, author, key, RuleState.SHADOW))
    item = there.database.write(lambda tx: profiles.publish(tx, author, key, MARK, locale="nl"))
    there.database.write(lambda tx: share.send(tx, author, item.id, two.here.code))
    carry(there, two.here, Lane.ROUTINE)
    rows = two.here.database.read(lambda tx: post_store.arrived(tx, item.id))
    accept.accept(two.here.database, rows[-1]["id"])
    return item.id


def read(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("language", LOCALES)
def test_every_page_reads_in_every_language(two, profile, language):
    client = browser(two.api, Role.SUPERVISOR, language)
    paths = (
        "/partnership",
        "/partnership?weeks=4&agreement=PA-NL-2026",
        f"/partnership/steps?partner={PARTNER}&measure=delivered",
        f"/partnership/steps?partner={PARTNER}&measure=our_result",
        f"/partnership/{PARTNER}/assurance?from=2025-12-01&until=2026-01-05",
        "/rules",
        f"/rules/profiles/{profile}",
    )
    for path in paths:
        text = read(client, path)
        assert f'<html lang="{language}"' in text
        assert not re.findall(r">[a-z_]+\.[a-z_.]+<", text), path


def test_figures_stand_with_their_rows(two):
    client = browser(two.api, Role.AUDITOR)
    desk = read(client, "/partnership")
    assert "6 of 6" in desk
    assert "Our share → delivered" in desk
    assert "3 min" in desk  # the median of one to six minutes
    rows = read(client, f"/partnership/steps?partner={PARTNER}&measure=delivered")
    assert rows.count("PA-NL-2026/art-") >= 6
    one = read(client, f"/partnership/steps?partner={PARTNER}&measure=delivered&week=2026-01-05")
    assert "Week of 2026-01-05" in one
    unknown = client.get("/partnership/steps?partner=FR-DGDDI&measure=delivered")
    assert unknown.status_code == 404
    assert browser(two.api, Role.INSPECTOR).get("/partnership").status_code == 403


def test_the_pack_is_read_and_then_signed(two):
    client = browser(two.api, Role.AUDITOR)
    path = f"/partnership/{PARTNER}/assurance"
    assert client.get(f"{path}?from=2026-01-05&until=2026-03-01").status_code == 422
    two.api.clock.advance(timedelta(days=1))
    client = browser(two.api, Role.AUDITOR)
    text = read(client, f"{path}?from=2026-01-05&until=2026-01-06")
    assert "No leak in what was checked" in text
    assert "PA-NL-2026/art-3" in text
    form = {"csrf": csrf(client), "from": "2026-01-05", "until": "2026-01-06"}
    signed = client.post(path, data=form)
    assert signed.status_code == 200
    assert "attachment" in signed.headers["content-disposition"]
    pack, found = assurance_pack.verify(signed.content)
    assert found == []
    assert pack.said["disclosures"]["shares"] == 6
    wrong = client.post(path, data=form | {"until": "soon"})
    assert wrong.headers["location"].endswith("problem=period_wrong")
    two.api.clock.advance(timedelta(days=-1))


def test_a_profile_is_read_changed_and_proposed(two, profile):
    client = browser(two.api, Role.ANALYST)
    assert profile in read(client, "/rules")
    assert f"/rules/profiles/{profile}" in read(client, f"/items/{profile}")
    page = read(client, f"/rules/profiles/{profile}")
    assert "Tried on own data" in page
    text = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S).group(1)
    assert profiles.rule_id(profile) in text
    form = {"csrf": csrf(client), "text": RULE}
    refused = client.post(f"/rules/profiles/{profile}/adopt", data=form)
    assert refused.status_code == 422
    form["text"] = html.unescape(text).replace("weight: 0.2", "weight: 0.3")
    done = client.post(f"/rules/profiles/{profile}/adopt", data=form)
    key = f"{profiles.rule_id(profile)}@1"
    assert done.headers["location"] == f"/rules/{key}?done=propose"
    assert "0.30" in read(client, f"/rules/{key}")
    told = client.post(f"/rules/profiles/{profile}/feedback", data={"csrf": csrf(client)})
    assert re.fullmatch(r"/items/PA-ANA:fbk_\w+/compose", told.headers["location"])
    live = next(
        row["id"]
        for row, _ in two.here.database.read(
            lambda tx: rulebook.rules(tx, two.here.staff[Role.ANALYST])
        )
        if row["state"] == "live"
    )
    assert "Publish as a profile" in read(client, f"/rules/{live}")
    published = client.post(f"/rules/{live}/publish", data={"csrf": csrf(client)})
    assert re.fullmatch(r"/items/PA-ANA:prf_\w+/compose", published.headers["location"])
