from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import isoformat
from isthmus.risk import conditions
from isthmus.risk.conditions import Scope
from isthmus.risk.firing import example_frame
from isthmus.risk.operators import OPERATORS
from isthmus.risk.schema import Kind, unit_kinds

from . import oracle

FIELDS = {
    Kind.TEXT: ["hs6", "description", "bill", "consignee_ref"],
    Kind.INTEGER: ["seal_changes", "amendments", "consignee_changes", "package_count"],
    Kind.NUMBER: ["gross_kg", "net_kg"],
    Kind.BOOLEAN: ["reefer", "empty"],
    Kind.MOMENT: ["lodged_at", "arrival_at"],
    Kind.LABELS: ["flags"],
}
KIND_OF = {name: kind for kind, names in FIELDS.items() for name in names}
LISTS = {"fruit": ("0803", "080390", "ba"), "one": ("a",)}
LIMITS = {"few": 2, "some": 2.5}
SCOPE = Scope(unit_kinds(), LIMITS, LISTS)

texts = st.sampled_from(
    [
        "",
        "a",
        "ba",
        "aba",
        "080390",
        "0803",
        "Café, a  BA",
        "a.b",
        "ba\nba",
        "é",
        "ab-ba a",
        "(a|b)",
    ]
) | st.text("abAé .-(\n0", max_size=6)
numbers = st.sampled_from([-1, 0, 1, 2, 3]) | st.sampled_from([-0.5, 0.0, 2.5, 1e15])
instants = st.sampled_from([0, 1, 3_600_000_001, 86_400_000_000, 10**15]).map(
    lambda us: isoformat(datetime.fromtimestamp(us // 10**6, UTC).replace(microsecond=us % 10**6))
)
LITERALS = {
    Kind.TEXT: texts.filter(bool),
    Kind.INTEGER: numbers,
    Kind.NUMBER: numbers,
    Kind.BOOLEAN: st.booleans(),
    Kind.MOMENT: instants,
    Kind.LABELS: texts.filter(bool),
}
VALUES = LITERALS | {
    Kind.TEXT: texts,
    Kind.INTEGER: st.integers(-2, 3),
    Kind.LABELS: st.lists(texts, max_size=3),
}
TAKES = {
    Kind.TEXT: "eq ne in not_in begins_with not_begins_with ends_with not_ends_with contains "
    "not_contains member_of not_member_of matches_words not_matches_words",
    Kind.INTEGER: "eq ne lt gt le ge in not_in between not_between",
    Kind.NUMBER: "eq ne lt gt le ge in not_in between not_between",
    Kind.BOOLEAN: "eq ne",
    Kind.MOMENT: "eq ne lt gt le ge between not_between",
    Kind.LABELS: "contains not_contains",
}
ALWAYS = ["null", "not_null", "empty", "not_empty"]
NUMERIC = (Kind.INTEGER, Kind.NUMBER)


@st.composite
def comparisons(draw):
    if draw(st.integers(0, 9)) == 0:
        field = draw(st.sampled_from(["bill", "consignee_ref", "seal_count"]))
        return {"field": field, "op": draw(st.sampled_from(["changed", "not_changed"]))}
    kind = draw(st.sampled_from(list(FIELDS)))
    document = {"field": draw(st.sampled_from(FIELDS[kind]))}
    if kind is Kind.NUMBER and draw(st.booleans()):
        document = {"hours": draw(st.permutations(FIELDS[Kind.MOMENT]))}
    op = draw(st.sampled_from(TAKES[kind].split() + ALWAYS))
    document["op"] = op
    if op in ALWAYS:
        return document
    literal = LITERALS[kind]
    if kind in NUMERIC:
        literal |= st.sampled_from([{"threshold": name} for name in LIMITS])
    shape = OPERATORS[op].shape
    if shape == "one":
        others = [name for name in KIND_OF if comparable(KIND_OF[name], kind)]
        literal |= st.sampled_from([{"field": name} for name in others])
        document["value"] = draw(literal)
    elif shape == "pair":
        low, high = draw(literal), draw(literal)
        document["value"] = [low, high]
    elif shape == "named":
        document["value"] = draw(st.sampled_from(list(LISTS)))
    elif kind in NUMERIC:
        document["value"] = draw(literal | st.lists(literal, min_size=1, max_size=3))
    else:
        named = st.sampled_from([{"list": name} for name in LISTS])
        document["value"] = draw(literal | named | st.lists(literal, min_size=1, max_size=3))
    return document


def comparable(one, other):
    return one is other or (one in NUMERIC and other in NUMERIC)


trees = st.recursive(
    comparisons(),
    lambda inner: (
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=6,
)
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | VALUES[kind] for name, kind in KIND_OF.items()}),
    min_size=1,
    max_size=5,
)


@settings(max_examples=400, deadline=None)
@given(trees, rows)
def test_the_compiler_agrees_with_the_naive_reading(document, given_rows):
    try:
        condition = conditions.parse(document, SCOPE)
    except Invalid as error:
        # Random pairs may stand the wrong way round and random words may hold no word: both are
        # refused, which tests below hold; nothing else may be.
        assert "lowest" in error.message or "everywhere" in error.message  # noqa: PT017
        return
    frame = example_frame(given_rows, unit_kinds()).with_columns(
        *conditions.fold_expressions(conditions.folded_columns(condition))
    )
    got = frame.select(x=conditions.expression(condition))["x"].to_list()
    plain = [
        {
            name: datetime.fromisoformat(value) if KIND_OF[name] is Kind.MOMENT and value else value
            for name, value in row.items()
        }
        | {"seal_count": 0}
        for row in given_rows
    ]
    assert got == [oracle.holds(document, row, LIMITS, LISTS) for row in plain]


def test_at_least_the_operators_the_trade_expects():
    assert set(OPERATORS) >= {
        "eq",
        "ne",
        "lt",
        "gt",
        "le",
        "ge",
        "in",
        "not_in",
        "between",
        "not_between",
        "begins_with",
        "not_begins_with",
        "ends_with",
        "not_ends_with",
        "contains",
        "not_contains",
        "empty",
        "not_empty",
        "null",
        "not_null",
        "member_of",
        "not_member_of",
        "matches_words",
        "not_matches_words",
        "changed",
        "not_changed",
    }


def judge(document, **row):
    condition = conditions.parse(document, SCOPE)
    frame = example_frame([row], unit_kinds())
    return frame.select(x=conditions.expression(condition))["x"].item()


@pytest.mark.parametrize("op", ["eq", "ne", "lt", "gt", "le", "ge"])
def test_a_comparison_with_what_is_missing_is_unknown(op):
    assert judge({"field": "gross_kg", "op": op, "value": 1}) is None
    assert judge({"not": {"field": "gross_kg", "op": op, "value": 1}}) is None
    assert (
        judge({"field": "gross_kg", "op": op, "value": {"field": "net_kg"}}, gross_kg=1.0) is None
    )


def test_one_known_part_decides_any_and_all():
    unknown = {"field": "gross_kg", "op": "gt", "value": 1}
    true = {"field": "reefer", "op": "eq", "value": True}
    assert judge({"any": [unknown, true]}, reefer=True) is True
    assert judge({"any": [unknown, true]}, reefer=False) is None
    assert judge({"all": [unknown, true]}, reefer=False) is False
    assert judge({"all": [unknown, true]}, reefer=True) is None


@pytest.mark.parametrize(
    ("document", "path", "reason"),
    [
        ("x", "when", "mapping"),
        ({"all": []}, "when.all", "at least one"),
        ({"any": [{"field": "reefer", "op": "eq", "value": 1}]}, "when.any[0].value", "boolean"),
        ({"not": {"field": "colour", "op": "null"}}, "when.not.field", "no such field"),
        ({"field": "extra", "op": "null"}, "when.field", "no such field"),
        ({"field": "hs6", "op": "like", "value": "1"}, "when.op", "no such operator"),
        ({"field": "hs6", "op": "gt", "value": "1"}, "when.op", "does not apply"),
        ({"field": "hs6", "op": "null", "value": "1"}, "when.value", "no value"),
        ({"field": "hs6", "op": "eq", "value": 1}, "when.value", "text"),
        ({"field": "hs6", "op": "member_of", "value": "veg"}, "when.value", "no such list"),
        ({"field": "hs6", "op": "contains", "value": ""}, "when.value", "everywhere"),
        ({"field": "description", "op": "matches_words", "value": "-"}, "when.value", "everywhere"),
        ({"field": "hs6", "op": "eq", "value": {"field": "gross_kg"}}, "when.value", "compared"),
        ({"field": "gross_kg", "op": "gt", "value": {"threshold": "x"}}, "when.value", "threshold"),
        ({"field": "gross_kg", "op": "between", "value": [2, 1]}, "when.value", "lowest"),
        ({"field": "gross_kg", "op": "gt", "value": float("nan")}, "when.value", "number"),
        ({"field": "gross_kg", "op": "gt", "value": True}, "when.value", "number"),
        ({"field": "lodged_at", "op": "gt", "value": "2026-01-01T00:00:00"}, "when.value", "zone"),
        ({"hours": ["lodged_at"], "op": "gt", "value": 1}, "when.hours", "two moments"),
        ({"hours": ["lodged_at", "hs6"], "op": "gt", "value": 1}, "when.hours", "not a moment"),
        ({"field": "hs6", "op": "changed"}, "when", "changes are counted"),
        ({"field": "hs6", "value": "1"}, "when", "needs"),
    ],
)
def test_a_wrong_condition_is_refused_with_its_place(document, path, reason):
    with pytest.raises(Invalid, match=reason) as caught:
        conditions.parse(document, SCOPE)
    assert caught.value.where["path"] == path


def test_columns_are_all_that_is_read():
    document = {
        "all": [
            {"field": "gross_kg", "op": "gt", "value": {"field": "net_kg"}},
            {"not": {"hours": ["lodged_at", "arrival_at"], "op": "lt", "value": 1}},
            {"field": "consignee_ref", "op": "changed"},
            {"field": "extra_use", "op": "eq", "value": "21"},
        ]
    }
    assert conditions.columns(conditions.parse(document, SCOPE)) == {
        "gross_kg", "net_kg", "lodged_at", "arrival_at", "consignee_changes", "extra_use",
    }  # fmt: skip
