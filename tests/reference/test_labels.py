"""Every label of every list exists in the five languages and is a word, not its code."""

from pathlib import Path

import pytest

from isthmus.reference import codelist
from isthmus.reference.codelist import LOCALES, CodeList, all_lists

DATA = Path(codelist.__file__).parent / "data"

# Files of data that are no code lists: their columns are read by the module named.
NO_LISTS = {
    "lists.csv": "codelist: the index itself",
    "container_masses.csv": "size_types: tares and gross masses",
    "ports.csv": "places: proper names and coordinates",
    "terminals.csv": "places: proper names and codes",
}

# Labels that are rightly written as their code is: (list, code, locale) with the reason.
SAME_AS_CODE: dict[tuple[str, str, str], str] = {}


@pytest.fixture(params=all_lists(), ids=lambda one: one.name)
def one_list(request: pytest.FixtureRequest) -> CodeList:
    found: CodeList = request.param
    return found


def test_every_file_is_listed_or_named_as_none() -> None:
    on_disk = {path.name for path in DATA.iterdir() if path.is_file()}
    listed = {f"{one.name}.csv" for one in all_lists()}
    assert on_disk == listed | set(NO_LISTS)


def test_names_its_source_and_version(one_list: CodeList) -> None:
    assert one_list.source
    assert one_list.version


def test_every_entry_has_five_labels(one_list: CodeList) -> None:
    assert len(one_list) > 0
    for entry in one_list:
        assert set(entry.labels) == set(LOCALES), entry.code
        for locale, label in entry.labels.items():
            assert label == label.strip() != "", (entry.code, locale)
            assert "  " not in label, (entry.code, locale)


def test_no_label_is_its_code(one_list: CodeList) -> None:
    same = {
        (one_list.name, entry.code, locale)
        for entry in one_list
        for locale, label in entry.labels.items()
        if label == entry.code
    }
    assert same == {key for key in SAME_AS_CODE if key[0] == one_list.name}


def test_labels_are_translated(one_list: CodeList) -> None:
    """Most entries have at least three different words, and each language its own in most."""
    entries = list(one_list)
    varied = [entry for entry in entries if len(set(entry.labels.values())) >= 3]
    assert len(varied) >= 0.8 * len(entries), [e.code for e in entries if e not in varied]
    for locale in set(LOCALES) - {"en"}:
        own = [entry for entry in entries if entry.labels[locale] != entry.labels["en"]]
        assert len(own) >= 0.7 * len(entries), (locale, [e.code for e in entries if e not in own])


def test_labels_of_one_list_tell_its_codes_apart(one_list: CodeList) -> None:
    for locale in LOCALES:
        labels = [entry.labels[locale] for entry in one_list]
        doubled = {label for label in labels if labels.count(label) > 1}
        assert not doubled, (locale, doubled)
