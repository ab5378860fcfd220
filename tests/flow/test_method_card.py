"""A concealment card written in Dutch, read in five languages by the same codes, with its links."""

from datetime import timedelta

from sqlalchemy import select

from exchange import conftest as nodes
from flow.partner_nodes import MARK, NL
from flow.test_learn import inspect_one, seizure
from flow.test_partnership import START, two  # noqa: F401 - a fixture
from flow.treaties import act, bring, see
from isthmus.access.model import Purpose, Role
from isthmus.cases import seizures
from isthmus.cases.tables import inspection_table
from isthmus.exchange.model import Lane
from isthmus.flow import profile_terms, share
from isthmus.flow.share import Said
from isthmus.intelligence import items, reading, store
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.objects import ObjectKind
from isthmus.intelligence.render import render
from isthmus.reference.codelist import LOCALES, code_list

make = nodes.make  # a fixture of the exchange's own tests
CODED = {
    "method": ("smuggling_methods", ["M1"]),
    "transport_modes": ("transport_modes", ["1"]),
    "concealment_zones": ("concealment_zones", ["doors"]),
    "goods_classes": ("seized_goods", ["cocaine"]),
    "indicators": ("risk_indicators", ["seal_differs", "release_right_looked_up"]),
    "controls": ("control_types", ["seal_check", "scan_xray"]),
}
TEXT = "Tassen direct achter de deuren; de verzegeling is nagemaakt."


def card(number: str) -> dict[str, object]:
    coded = {name: codes[0] if name == "method" else codes for name, (_, codes) in CODED.items()}
    return coded | {
        "title": {"language": "nl", "text": "Achter de deuren"},
        "description": {"language": "nl", "text": TEXT},
        "destinations": ["NLRTM"],
        "seizures": [number],
        "first_seen": "2025-11-03",
    }


def test_a_dutch_card_is_read_in_every_language_by_the_same_codes(two):  # noqa: F811
    loop, panama, rotterdam = two
    loop.manifest(1, arrives=START + timedelta(days=4))
    loop.node.scorer.score_all()
    inspect_one(loop, 1, seizure())
    inspector = panama.staff[Role.INSPECTOR]
    order = loop.read(_inspections)[0]
    number = act(panama, seizures.register, inspector, order, panama.code)

    author = rotterdam.staff[Role.ANALYST]
    body = card(number)
    item = act(rotterdam, items.draft, author, NL, ItemKind.METHOD_CARD, body, MARK)
    act(rotterdam, share.send, author, item.id, panama.code, Said(Purpose.EXERCISE))
    assert bring(rotterdam, panama, item, Lane.ROUTINE)

    reader = panama.staff[Role.ANALYST]
    (copy,) = see(panama, reading.find, reader, item.id)[1]
    assert copy.item.body == body  # the codes that came are those that were written
    words = {}
    for locale in LOCALES:
        lines = {line.path: line for line in render(copy.item, locale).lines}
        for name, (vocabulary, codes) in CODED.items():
            labels = [code_list(vocabulary).label(code, locale) for code in codes]
            assert lines[name].value == "; ".join(labels)
            assert not set(labels) & set(codes)  # words, not codes
        # Free text stays as it was written, and says in which language that is.
        assert (lines["description"].value, lines["description"].language) == (TEXT, "nl")
        assert lines["seizures"].value == number
        words[locale] = (lines["method"].label, lines["method"].value)
    assert words["es"] == ("Método", "Gancho ciego (rip-on, rip-off)")
    assert len(set(words.values())) == len(LOCALES)
    spanish = {line.path: line for line in render(copy.item, "es").lines}
    assert spanish["description"].language_name == "neerlandés"

    # From a seizure to the cards that name it, and from the card to the seizure.
    named = see(panama, store.naming, ObjectKind.SEIZURE, [number])
    assert (item.id, "method_card") in {(row["item"], row["kind"]) for row in named}
    held = see(panama, lambda tx: seizures.goods(tx, reader, copy.item.body["seizures"]))
    assert [row["goods"] for row in held] == body["goods_classes"]
    # Its indicators are those of profiles and rules: each reads as a condition here.
    assert set(body["indicators"]) <= set(profile_terms.indicators())


def _inspections(tx):
    return list(tx.execute(select(inspection_table.c.id)).scalars())
