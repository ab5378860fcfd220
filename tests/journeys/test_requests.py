"""Two countries in the browser: a question answered, one chain, a box not opened twice in vain."""

from collections.abc import Callable, Iterator

import pytest

from journeys.conftest import Desk, Served, serving

Window = Callable[..., Desk]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WORDS = "The carrier reports another seal since the box was opened in Rotterdam"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A node in the middle of its work with a partner."""
    with serving(tmp_path_factory.mktemp("together") / "node", "journeys.together") as node:
        yield node


def fits(desk: Desk, width: int = 1280) -> bool:
    return desk.page.evaluate("document.documentElement.scrollWidth") <= width


def says(desk: Desk, words: str) -> None:
    """Wait for words to be seen."""
    desk.page.get_by_text(words).first.wait_for()


def read_in(desk: Desk, language: str) -> None:
    desk.page.context.add_cookies(
        [{"name": "isthmus_language", "value": language, "url": desk.served.address}]
    )


def settled(desk: Desk, path: str, words: str) -> None:
    """Look at a page until what the nodes do by themselves stands there."""
    for _ in range(80):
        desk.go(path)
        if desk.page.get_by_text(words).count():
            return
        desk.page.wait_for_timeout(250)
    raise AssertionError(f"{words} did not come to {path}")


def send(desk: Desk, partner: str = "NL-DOUANE") -> None:
    """Send in the composer what the page shows for a partner."""
    desk.page.wait_for_url("**/items/**/compose?**")
    desk.page.locator(f"section#p-{partner} button[data-act=send]").click()
    desk.page.wait_for_url("**done=item_sent**")


def test_the_desk_shows_the_clock_that_runs_out_first_in_its_readers_words(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    read_in(desk, "nl")
    settled(desk, "/requests", "Geschiedenis van verzegelingen")
    rows = desk.page.locator("tbody tr")
    assert "Bedrijf" in rows.nth(0).inner_text()
    assert rows.nth(0).locator(".clock.late").is_visible()
    assert rows.nth(1).locator(".clock.soon").is_visible()
    says(desk, "1 over tijd")
    assert "PA-NL-2026/art-4" in rows.nth(2).inner_text()
    assert fits(desk)
    desk.shot("50-requests")
    read_in(desk, "pt")
    desk.go(f"/requests/{desk.served.links['paused']}")
    says(desk, "O prazo está suspenso")
    says(desk, "Período desde")
    desk.shot("51-request-paused")
    read_in(desk, "fr")
    desk.go("/requests?side=out")
    says(desk, "Le délai est suspendu")
    assert fits(desk)
    desk.shot("52-requests-out")


def test_a_question_is_taken_answered_and_sent(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    path = f"/requests/{desk.served.links['asked']}"
    settled(desk, "/requests", "History of seals")
    desk.go(path)
    says(desk, "De verzender heeft in drie weken")
    desk.page.get_by_role("button", name="Take").click()
    says(desk, "The request is yours.")
    desk.page.get_by_label("Our case number").fill("PA-2026-104")
    desk.page.get_by_role("button", name="Acknowledge receipt").click()
    says(desk, "Receipt is acknowledged")
    desk.page.locator("details summary", has_text="Ask for more").click()
    desk.page.get_by_role("button", name="Ask for more").click()
    says(desk, "Say what is missing.")
    desk.shot("53-request-to-decide")
    desk.page.get_by_role("button", name="Accept the request").click()
    desk.page.get_by_label("In words").fill("Both seals were whole when the boxes left the yard.")
    desk.shot("54-request-answering")
    desk.page.get_by_role("button", name="Draft it and open the composer").click()
    desk.page.wait_for_url("**/items/**/compose?**")
    desk.shot("55-answer-composed")
    send(desk)
    settled(desk, path, "Answered")
    desk.shot("56-request-answered")


def test_a_refusal_names_its_ground(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    desk.go(f"/requests/{desk.served.links['late']}")
    desk.page.get_by_role("button", name="Acknowledge receipt").click()
    desk.page.locator("details summary", has_text="Refuse").click()
    desk.page.get_by_role("button", name="Refuse").click()
    says(desk, "Name the ground on which you refuse.")
    desk.page.get_by_label("Harm to a running investigation").check()
    desk.page.get_by_role("button", name="Refuse").click()
    says(desk, "the partner is told on which ground")
    desk.shot("57-request-refused")


def test_what_became_of_an_answer_goes_back(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    path = f"/requests/{desk.served.links['answered']}"
    settled(desk, path, "De geadresseerde bestaat niet")
    settled(desk, path, "Say what became of it")
    desk.page.get_by_label("Led to another irregularity").check()
    desk.page.get_by_role("button", name="Draft it and open the composer").click()
    send(desk)
    settled(desk, path, "Close the request")
    desk.page.get_by_role("button", name="Close the request").click()
    says(desk, "The request is closed.")


def test_a_partner_is_asked_and_wrong_fields_are_said(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    desk.go("/requests/ask")
    desk.page.get_by_label("Containers").fill("ISTU0000018")
    desk.page.get_by_role("button", name="Draft it and open the composer").click()
    for wrong in ("no container number", "at least one question", "your case number"):
        says(desk, wrong)
    desk.shot("58-ask-wrong")
    desk.page.get_by_label("Containers").fill("")
    desk.page.get_by_label("History of seals").check()
    desk.page.get_by_label("Our case number").fill("PA-2026-120")
    desk.page.get_by_role("button", name="Draft it and open the composer").click()
    send(desk)
    settled(desk, "/requests?side=out", "Acknowledgement")


def test_a_cue_is_accepted_and_both_see_whose_turn_it_is(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    read_in(desk, "es")
    desk.go("/chains")
    says(desk, "A nosotros")
    desk.shot("60-chains")
    desk.go(f"/chains/{desk.served.links['ours']}")
    says(desk, "Le toca a usted")
    desk.shot("61-chain-cued")
    desk.page.get_by_role("button", name="Aceptar la petición").click()
    says(desk, "La petición está aceptada")
    says(desk, "Se espera resultado de")
    assert desk.page.get_by_role("link", name="Abrir el envío").is_visible()
    assert fits(desk)
    desk.shot("62-chain-accepted")
    read_in(desk, "fr")
    desk.go("/chains/cue")
    desk.page.get_by_role("button", name="Rédiger et ouvrir").click()
    says(desk, "Indiquez le port par son UN/LOCODE")
    desk.shot("63-cue-wrong")


def test_a_box_that_a_partner_opened_is_opened_again_only_for_a_reason(window: Window) -> None:
    desk, links = window(), None
    desk.enter("ana")
    links = desk.served.links
    desk.go(f"/consignments?q={links['box']}")
    desk.page.get_by_role("button", name="Take").click()
    desk.page.locator("details[data-act='inspect'] summary").click()
    desk.page.get_by_role("button", name="Order an inspection").click()
    says(desk, "NL-DOUANE opened this box")
    says(desk, "so nothing was ordered")
    desk.shot("64-second-opening")
    desk.page.get_by_role("button", name="Order the second opening").click()
    says(desk, "Choose the reason.")
    desk.shot("65-second-opening-wrong")
    desk.page.get_by_label("Seal changed since then").check()
    desk.page.get_by_label("In words").fill(WORDS)
    desk.page.get_by_role("button", name="Order the second opening").click()
    says(desk, "with the reason why the box is opened again")
    read_in(desk, "nl")
    desk.go(f"/chains/{links['opened']}")
    says(desk, "Opnieuw geopend door")
    says(desk, WORDS)
    says(desk, "Verzegeling sindsdien gewijzigd")
    assert fits(desk)
    desk.shot("66-chain-reopened")


def test_a_seizure_is_weighed_and_its_credit_shared(window: Window) -> None:
    desk = window()
    desk.enter("ana")
    read_in(desk, "pt")
    desk.go("/seizures")
    says(desk, "SZ-NL-DOUANE-2026-12")
    desk.shot("67-seizures")
    read_in(desk, "en")
    desk.go(f"/seizures/{desk.served.links['seizure']}")
    desk.page.get_by_label("Weight of Cocaine on the scale").fill("38,72")
    desk.page.get_by_role("button", name="Note the weights").click()
    says(desk, "The weights are noted.")
    says(desk, "-1.28")
    desk.page.locator("details summary", has_text="Share the credit anew").click()
    desk.page.locator("#share-0").fill("70")
    desk.page.locator("#node-1").select_option("NL-DOUANE")
    desk.page.locator("#share-1").fill("20")
    desk.page.get_by_role("button", name="Share the credit anew").click()
    says(desk, "have to make 100 per cent")
    desk.page.locator("details summary", has_text="Share the credit anew").click()
    desk.page.locator("#share-0").fill("70")
    desk.page.locator("#node-1").select_option("NL-DOUANE")
    desk.page.locator("#share-1").fill("30")
    desk.page.get_by_role("button", name="Share the credit anew").click()
    says(desk, "The credit is shared anew.")
    assert fits(desk)
    desk.shot("68-seizure")


def test_an_inspector_reads_chain_and_seizure_on_a_phone(window: Window) -> None:
    phone = window(**PHONE)
    phone.enter("ivan")
    links = phone.served.links
    for language, name, path in (
        ("fr", "70-phone-chains", "/chains?over=1"),
        ("nl", "71-phone-chain", f"/chains/{links['opened']}"),
        ("es", "72-phone-chain-ours", f"/chains/{links['ours']}"),
        ("pt", "73-phone-seizures", "/seizures"),
        ("fr", "74-phone-seizure", f"/seizures/{links['seizure']}"),
        ("en", "75-phone-inspection", f"/inspections/{links['inspection']}"),
    ):
        read_in(phone, language)
        phone.go(path)
        phone.shot(name)
        assert fits(phone, 390), path
    desk = window(**PHONE)
    desk.enter("ana")
    for name, path in (
        ("76-phone-requests", "/requests"),
        ("77-phone-request", f"/requests/{links['soon']}"),
        ("78-phone-ask", "/requests/ask"),
    ):
        desk.go(path)
        desk.shot(name)
        assert fits(desk, 390), path
