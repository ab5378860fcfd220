"""Agreements that come with the product: what is public of real ones, and fictional whole ones."""

from functools import cache
from importlib.resources import files

from isthmus.agreements.agreement import Agreement
from isthmus.agreements.reading import read


@cache
def register() -> tuple[Agreement, ...]:
    """Return what is publicly known of real instruments. None of them carries a permit."""
    return _folder("register")


@cache
def fictional() -> tuple[Agreement, ...]:
    """Return whole agreements that are made up, for demonstrations and tests."""
    return _folder("fictional")


def text_of(agreement: str) -> str:
    """Return the file of a shipped agreement as text, by the agreement's code."""
    for folder in ("register", "fictional"):
        for text in _texts(folder).values():
            if f"\nagreement: {agreement}\n" in text:
                return text
    raise KeyError(agreement)


def _folder(name: str) -> tuple[Agreement, ...]:
    return tuple(read(text, file) for file, text in _texts(name).items())


@cache
def _texts(folder: str) -> dict[str, str]:
    held = files(__package__).joinpath(folder).iterdir()
    found = sorted((one for one in held if one.name.endswith(".yaml")), key=lambda one: one.name)
    return {one.name: one.read_text(encoding="utf-8") for one in found}
