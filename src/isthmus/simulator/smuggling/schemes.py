"""Schemes as data: the shipped ones, and files that anyone writes, read and checked.

A scheme is a YAML file that follows ``schemes/scheme.schema.json``; ``docs/guide/schemes.md`` says
how to write one. Nothing of a file is believed unchecked: no trace may be certain, and none may be
left by crime alone, since a figure measured on such a world would say nothing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from isthmus.kernel.errors import Invalid
from isthmus.reference.codelist import code_list
from isthmus.reference.size_types import size_type
from isthmus.simulator import world as worlds
from isthmus.simulator.ais.craft import fleet
from isthmus.simulator.smuggling.scheme import (
    FRONT,
    SHIPMENT,
    Adapts,
    By,
    Confuser,
    Scheme,
    Starts,
)
from isthmus.simulator.smuggling.traces import AT_SEA, ON_MOVES, ON_PAPERS
from isthmus.simulator.world import World

_ENDINGS = (".yaml", ".yml")


@cache
def shipped() -> tuple[Scheme, ...]:
    """Return the schemes that come with the simulator, in the order of their files' names."""
    return _distinct(_in_folder(files(__package__).joinpath("schemes")), worlds.load(), {})


def gathered(paths: Sequence[Path] = ()) -> tuple[Scheme, ...]:
    """Return the shipped schemes and those of files and folders from outside.

    Raises ``Invalid`` with file, key and reason; a code that another scheme has is one.
    """
    found = shipped()
    for path in paths:
        known = {scheme.code: "the shipped schemes" for scheme in shipped()}
        known |= {scheme.code: "another path" for scheme in found[len(shipped()) :]}
        found += read_folder(path, known)
    return found


def read_folder(path: Path, known: Mapping[str, str] | None = None) -> tuple[Scheme, ...]:
    """Read one file, or every YAML file of a folder in the order of their names.

    ``known`` are codes already in use, with where. Raises ``Invalid`` with file, key and reason.
    """
    if path.is_dir():
        entries = _in_folder(path)
    elif path.is_file():
        entries = [path]
    else:
        raise _wrong(path.name, "the file", f"no file or folder {path}")
    if not entries:
        raise _wrong(path.name, "the folder", "no file in it ends in .yaml")
    return _distinct(entries, worlds.load(), known or {})


def read(file: Traversable | Path, world: World | None = None) -> Scheme:
    """Read a scheme's file; raises ``Invalid`` with file, key and reason."""
    raw = _parsed(file)
    errors = sorted(_validator().iter_errors(raw), key=lambda error: list(map(str, error.path)))
    if errors:
        key = ".".join(str(part) for part in errors[0].absolute_path) or "the file"
        raise _wrong(file.name, key, errors[0].message)
    for key, reason in (*_ranges(raw), *_traces(raw), *_codes(raw, world or worlds.load())):
        raise _wrong(file.name, key, reason)
    return _scheme(raw)


def _in_folder(folder: Traversable | Path) -> list[Traversable]:
    found = [entry for entry in folder.iterdir() if entry.name.endswith(_ENDINGS)]
    return sorted(found, key=lambda entry: entry.name)


def _distinct(
    entries: Sequence[Traversable | Path], world: World, known: Mapping[str, str]
) -> tuple[Scheme, ...]:
    seen, found = dict(known), []
    for entry in entries:
        scheme = read(entry, world)
        if scheme.code in seen:
            reason = f"{scheme.code} is the code of a scheme in {seen[scheme.code]}"
            raise _wrong(entry.name, "code", reason)
        seen[scheme.code] = entry.name
        found.append(scheme)
    return tuple(found)


def _wrong(file: str, key: str, reason: str) -> Invalid:
    return Invalid("scheme_invalid", reason, file=file, key=key)


def _parsed(file: Traversable | Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise _wrong(file.name, "the file", f"not UTF-8 at byte {error.start}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        key = f"line {mark.line + 1}" if mark else "the file"
        reason = getattr(error, "problem", None) or str(error)
        raise _wrong(file.name, key, f"not YAML: {reason}") from None


@cache
def schema() -> Mapping[str, Any]:
    """Return the JSON Schema of a scheme's file."""
    text = files(__package__).joinpath("schemes", "scheme.schema.json").read_text(encoding="utf-8")
    read: Mapping[str, Any] = json.loads(text)
    return read


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


# -- what a schema cannot say ---------------------------------------------------------------

_Wrong = Iterator[tuple[str, str]]
"""Keys that are wrong, each with the reason."""


def _ranges(raw: Mapping[str, Any]) -> _Wrong:
    for part, names in (
        ("by", ("shipments", "every", "tests")),
        ("carries", ("kilograms", "share")),
        ("adapts", ("after",)),
    ):
        for name in names:
            least, most = raw[part].get(name, (0, 0))
            if least > most:
                yield f"{part}.{name}", f"the least, {least}, is more than the most, {most}"
    if ("kilograms" in raw["carries"]) == ("share" in raw["carries"]):
        yield "carries", "either kilograms or share says how much it is"
    by = raw["by"]
    if (by["who"] == FRONT) != bool(by.get("roles")):
        yield "by.roles", "a front has roles, and nobody else has"
    for name in ("lawful", "tests"):
        if by.get(name) and by["who"] != FRONT:
            yield f"by.{name}", "only a front trades lawfully beside it"


def _traces(raw: Mapping[str, Any]) -> _Wrong:
    at_sea = raw.get("uses", SHIPMENT) != SHIPMENT
    known = AT_SEA.keys() if at_sea else ON_PAPERS.keys() | ON_MOVES.keys()
    lawful: set[str] = set()
    for at, confuser in enumerate(raw["confusers"]):
        for name, chance in confuser["traces"].items():
            if name not in known:
                yield f"confusers.{at}.traces.{name}", f"no trace {name}"
            if chance > 0:
                lawful.add(name)
    for name, chance in raw["traces"].items():
        if name not in known:
            yield f"traces.{name}", f"no trace {name}"
        elif not 0 < chance < 1:
            reason = "never left" if chance == 0 else "certain, as no trace of crime is"
            yield f"traces.{name}", f"it is {reason}"
        elif name not in lawful:
            yield f"traces.{name}", f"exclusive to crime: no confuser leaves {name}"


def _codes(raw: Mapping[str, Any], world: World) -> _Wrong:
    for key, name, code in (
        ("objective", "objectives", raw["objective"]),
        ("carries.goods", "seized_goods", raw["carries"]["goods"]),
        ("carries.zone", "concealment_zones", raw["carries"]["zone"]),
        *((f"found_by.{control}", "control_types", control) for control in raw["found_by"]),
        *(("where.chapters", "hs_chapters", code) for code in raw["where"].get("chapters", ())),
    ):
        if code not in code_list(name):
            yield key, f"{code} is not in the list {name}"
    terminals = {terminal.place for terminal in world.terminals.values()}
    ports = {port for service in world.services for port in service.ports}
    vessels = {**fleet()["kinds"], **fleet()["ships"]}
    for key, there in (
        ("origins", ports | terminals),
        ("destinations", ports | terminals),
        ("goods", world.goods),
        ("terminals", world.terminals),
        ("vessels", vessels),
        ("harbours", fleet()["harbours"]),
        ("towards", fleet()["harbours"]),
    ):
        for code in raw["where"].get(key, ()):
            if code not in there:
                yield f"where.{key}", f"{code} is unknown in the world {world.code}"
    for code in raw["where"].get("equipment", ()):
        if size_type(code) is None:
            yield "where.equipment", f"{code} is no size and type of ISO 6346"


def _scheme(raw: Mapping[str, Any]) -> Scheme:
    carries, adapts = raw["carries"], dict(raw["adapts"])
    after = adapts.pop("after", None)
    share = carries.get("share")
    return Scheme(
        code=raw["code"],
        name=raw["name"],
        source=raw["source"],
        basis=raw["basis"],
        objective=raw["objective"],
        uses=raw.get("uses", SHIPMENT),
        weight=raw["weight"],
        starts=Starts(**raw.get("starts", {})),
        by=_by(raw["by"]),
        where=raw["where"],
        goods=carries["goods"],
        kilograms=tuple(carries.get("kilograms", (0, 0))),
        share=tuple(share) if share else None,
        zone=carries["zone"],
        traces=raw["traces"],
        confusers=tuple(Confuser(c["each"], c["traces"], c["why"]) for c in raw["confusers"]),
        adapts=Adapts(adapts, tuple(after)) if after else Adapts(adapts),
        found_by=raw["found_by"],
    )


def _by(raw: Mapping[str, Any]) -> By:
    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()
    }
    return By(**given)
