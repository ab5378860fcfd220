"""The reasons of a hit: coded, whole, and readable in five languages."""

import re

import pytest

from isthmus.parties import reasons
from isthmus.parties.explain import Relation
from isthmus.parties.features import FEATURES
from isthmus.parties.line import Capacity
from isthmus.parties.model import IdentifierKind
from isthmus.parties.reasons import Reason, in_words, of_name, of_number
from isthmus.reference.codelist import LOCALES, code_list


def by_code(found: tuple[Reason, ...]) -> dict[str, list[dict[str, object]]]:
    told: dict[str, list[dict[str, object]]] = {}
    for reason in found:
        told.setdefault(reason.code, []).append(dict(reason.parameters))
    return told


def test_a_cyrillic_name_with_slips_tells_how_it_is_read_and_what_differs():
    told = by_code(of_name("Северний Ветор", "Severny Veter Trading LLC", Capacity.CARE_OF))
    assert told["capacity.care_of"] == [{"reading": "Северний Ветор"}]
    assert told["script.line"][0]["written"] == "Северний Ветор"
    assert {"word": "vetor", "other": "veter"} in told["word.sound"]
    assert told["words.list_only"] == [{"words": ["trading"]}]
    assert told["form.list_only"] == [{"words": ["llc"]}]
    assert all(reason["cost"] >= reasons.LEAST_COST for reason in told["cost"])


def test_the_same_name_has_nothing_that_differs():
    assert by_code(of_name("Ivan Petrov", "IVAN PETROV")).keys() == {"words.same"}


def test_no_word_is_told_twice_or_left_out():
    found = of_name("J. Smith & Zoe", "John Smith Company")
    told = by_code(found)
    assert told["word.initial"] == [{"word": "j", "other": "john"}]
    assert told["words.same"] == [{"words": ["smith"]}]
    assert told["words.line_only"] == [{"words": ["zoe"]}]


def test_a_number_names_its_kind():
    (reason,) = of_number("imo:9074729")
    assert in_words(reason, "es") == "Mismo número: Número OMI 9074729"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_code_has_its_sentence(locale):
    sentences = reasons._sentences()
    codes = {f"word.{one.value}" for one in Relation} - {"word.same", "word.missing"}
    codes |= {f"capacity.{one.value}" for one in Capacity} - {"capacity.named"}
    codes |= {"cost", "number.same", "words.same", "script.line", "script.list"}
    codes |= {f"{kind}.{side}_only" for kind in ("words", "form") for side in ("line", "list")}
    assert codes == set(sentences)
    for row in sentences.values():
        assert re.findall(r"\{\w+\}", row[locale]) or locale == "code"
        assert set(re.findall(r"\{\w+\}", row[locale])) == set(re.findall(r"\{\w+\}", row["en"]))


def test_measures_and_numbers_have_labels():
    assert set(code_list("name_measures").codes()) == set(FEATURES)
    assert set(code_list("identifier_kinds").codes()) == {kind.value for kind in IdentifierKind}


def test_costs_are_written_as_the_language_does():
    reason = Reason("cost", {"measure": "numbers", "cost": 0.37})
    assert in_words(reason, "fr").endswith("0,37")
    assert in_words(reason, "en").endswith("0.37")
