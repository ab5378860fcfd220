"""The desk of models: a model on trial beside what is in force, and the rows behind its figures."""

import io
import re
from collections.abc import Iterator

import pytest

from api.node_served import Api
from flow.test_train import table
from isthmus.access.model import Role
from isthmus.cargo.formats.source import Source
from isthmus.reference.codelist import LOCALES
from isthmus.risk.objectives import Objective
from web.conftest import browser, pages_of


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, str]]:
    """A node with declarations, their outcomes, and a model trained on them."""
    api = pages_of(tmp_path_factory.mktemp("models") / "node", busy=False)
    analyst = api.actors[Role.ANALYST]
    api.node.receiver.receive(analyst, io.BytesIO(table(400)), Source("korea.csv"))
    api.node.scorer.score_all()
    model, _ = api.node.trainer.train(analyst, Objective.REVENUE)
    yield api, model
    api.node.close()


def test_a_trial_says_how_the_rankings_differ_and_opens_its_rows(taught: tuple[Api, str]):
    api, model = taught
    client = browser(api, Role.MODEL_APPROVER)
    assert f'href="/models/{model}/trial"' in client.get("/models").text
    for figure, count in (("compared", 50), ("top", 20), ("outcomes", 0), ("positives", 0)):
        text = client.get(f"/models/{model}/trial", params={"rows": figure}).text
        body = text.partition("<tbody>")[2].partition("</tbody>")[0]
        assert body.count("<tr>") == count
    text = client.get(f"/models/{model}/trial").text
    assert f'<a href="/models/{model}/trial?rows=compared">400</a>' in text
    assert "Not known yet" in text
    last = client.get(f"/models/{model}/trial", params={"rows": "compared", "page": 8}).text
    assert 'rel="next"' not in last
    assert 'rel="prev"' in last
    assert client.get(f"/models/{model}/trial", params={"rows": "all"}).status_code == 404
    assert client.get("/models/none/trial").status_code == 404


def test_only_who_may_see_a_consignment_is_led_to_it(taught: tuple[Api, str]):
    api, model = taught
    shown = browser(api, Role.SUPERVISOR).get(f"/models/{model}/trial").text
    assert shown.count('href="/consignments/unit_') == 20
    unseen = browser(api, Role.MODEL_APPROVER).get(f"/models/{model}/trial").text
    assert "/consignments/unit_" not in unseen
    assert unseen.count("Outside what you may see") == 20


@pytest.mark.parametrize("language", LOCALES)
def test_a_trial_is_whole_in_each_language(taught: tuple[Api, str], language: str):
    api, model = taught
    answer = browser(api, Role.SUPERVISOR, language).get(f"/models/{model}/trial")
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text
    assert not re.search(r"\{\w+\}", answer.text)
