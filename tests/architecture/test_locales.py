"""Every word of the pages stands in five languages; none is missing and none is left over.

A text is used where a template or a module of ``web`` names its key whole, or by a beginning that
a value completes (``t("done." ~ code)``). Values in braces must be the same in every language.
"""

import ast
import re
import string
from dataclasses import fields
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import nodes

from isthmus.cargo.model import (
    Consignment,
    Container,
    Declaration,
    GoodsItem,
    Manifest,
    Packages,
    Seal,
)
from isthmus.reference.codelist import LOCALES
from isthmus.risk.catalogue import feature, field_kinds
from isthmus.risk.operators import OPERATORS
from isthmus.web.page import environment

WEB = Path(__file__).resolve().parents[2] / "src" / "isthmus" / "web"
KEY = re.compile(r"^[a-z_]+\.[a-z0-9_.]+$")
# Where a key is put together outside of a call of ``t``: what was done, and what went wrong.
# What stands on no page by its own name: ids, and parts that their own fields name.
INTERNAL = {
    "id", "manifest", "parties", "goods", "seals", "superseded_by", "version", "consignment_key",
}  # fmt: skip
COMPLETED = {"done.", "problem.", "problem.kind.", "field."}


def catalogue(locale: str) -> dict[str, str]:
    found: dict[str, str] = {}
    folders = [WEB / "locales", *(one for one in (WEB / "locales").iterdir() if one.is_dir())]
    for folder in folders:
        with (folder / f"{locale}.po").open("rb") as stream:
            held = read_po(stream, locale=locale, abort_invalid=True)
        texts = {str(one.id): str(one.string) for one in held if one.id}
        assert not texts.keys() & found.keys(), folder
        found |= texts
    return found


CATALOGUES = {locale: catalogue(locale) for locale in LOCALES}
KEYS = set(CATALOGUES["en"])


def in_templates() -> tuple[set[str], set[str]]:
    """Keys named in templates, and beginnings that a value completes."""
    keys: set[str] = set()
    beginnings: set[str] = set()
    made = environment()
    for path in sorted((WEB / "templates").glob("*.html")):
        tree = made.parse(path.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t" and call.args:
                first = call.args[0]
                if isinstance(first, nodes.Const):
                    keys.add(str(first.value))
                elif isinstance(first, nodes.Concat):
                    assert isinstance(first.nodes[0], nodes.Const), path
                    beginnings.add(str(first.nodes[0].value))
                elif isinstance(first, nodes.CondExpr):
                    keys |= {str(one.value) for one in first.find_all(nodes.Const)}
    return keys, beginnings


def in_modules() -> tuple[set[str], set[str]]:
    """Keys that stand as text in modules, and the beginnings of those put together there."""
    keys: set[str] = set()
    beginnings: set[str] = set()
    for path in sorted(WEB.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and KEY.match(text) and text in KEYS:
                keys.add(text)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                start = str(node.values[0].value)
                if start.endswith(".") and any(key.startswith(start) for key in KEYS):
                    beginnings.add(start)
    return keys, beginnings


def called() -> set[str]:
    """Keys that a module gives to ``t`` whole."""
    found = set()
    for path in sorted(WEB.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                first = node.args[0]
                if name == "t" and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_the_same_keys_with_words(locale):
    assert set(CATALOGUES[locale]) == KEYS
    assert not [key for key, text in CATALOGUES[locale].items() if not text.strip()]


@pytest.mark.parametrize("locale", LOCALES)
def test_values_are_the_same_in_every_language(locale):
    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    differ = [
        key
        for key, text in CATALOGUES[locale].items()
        if values(text) != values(CATALOGUES["en"][key])
    ]
    assert not differ


def test_every_key_that_is_named_exists():
    templates, beginnings = in_templates()
    missing = {key for key in templates | called() if key not in KEYS}
    assert not missing
    assert not [start for start in beginnings if not any(key.startswith(start) for key in KEYS)]


def test_no_key_is_left_over():
    keys, beginnings = in_templates()
    own, completed = in_modules()
    begun = tuple(beginnings | completed | COMPLETED)
    left = sorted(key for key in KEYS - keys - own if not key.startswith(begun))
    assert not left


def test_every_operator_of_a_rule_has_its_words():
    assert {f"operator.{name}" for name in OPERATORS} == {
        key for key in KEYS if key.startswith("operator.")
    }


@pytest.mark.parametrize("locale", [one for one in LOCALES if one != "en"])
def test_texts_are_translated_and_not_copied(locale):
    """Whole sentences never read the same in two languages."""
    copied = [
        key
        for key, text in CATALOGUES[locale].items()
        if text == CATALOGUES["en"][key] and len(text.split()) > 3 and "{" not in text
    ]
    assert not copied


def test_done_keys_are_said_by_some_form():
    """Each ``done.`` text is named by a module, so that none tells of an act nobody can do."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in WEB.glob("*.py"))
    said = {key.removeprefix("done.") for key in KEYS if key.startswith("done.")}
    assert not [code for code in said if not re.search(rf'["=]{code}\b', source)]


def test_every_field_of_the_records_and_of_rules_has_a_name():
    kinds = (Consignment, Manifest, Declaration, GoodsItem, Container, Seal, Packages)
    named = {entry.name for kind in kinds for entry in fields(kind)} | set(field_kinds())
    unnamed = {name for name in named if feature(name) is None and f"field.{name}" not in KEYS}
    assert unnamed <= INTERNAL
    assert not [key for key in KEYS if key.startswith("field.") and key[6:] not in named]
