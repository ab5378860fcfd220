"""Schemes: ways of smuggling as data, and their planting into lawful trade.

A scheme is a YAML file that follows ``schemes/scheme.schema.json``. It names traces, each with
the probability that it is left; none is certain to be there and none is left by crime alone,
since each scheme plants its look-alikes in lawful shipments too.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from isthmus.kernel.errors import Invalid
from isthmus.reference.codelist import code_list
from isthmus.simulator.dice import Dice
from isthmus.simulator.planted import Planted
from isthmus.simulator.scheme import Confuser, Scheme
from isthmus.simulator.shipment import Shipment
from isthmus.simulator.traces import ON_MOVES, ON_PAPERS, Kit


@cache
def shipped() -> tuple[Scheme, ...]:
    """Return the schemes that come with the simulator, in the order of their files' names."""
    folder = files(__package__).joinpath("schemes")
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".yaml")]
    return tuple(read(entry) for entry in sorted(found, key=lambda entry: entry.name))


def read(file: Traversable | Path) -> Scheme:
    """Read a scheme's file; raises ``Invalid`` with file, key and reason."""
    try:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise Invalid("scheme_invalid", f"not YAML: {error}", file=file.name) from None
    errors = sorted(_validator().iter_errors(raw), key=lambda error: list(map(str, error.path)))
    if errors:
        key = ".".join(str(part) for part in errors[0].absolute_path) or "the file"
        raise Invalid("scheme_invalid", errors[0].message, file=file.name, key=key)
    confusers = tuple(Confuser(entry["each"], entry["traces"]) for entry in raw["confusers"])
    for key, traces in [("traces", raw["traces"]), *(("confusers", c.traces) for c in confusers)]:
        for name in traces:
            if name not in ON_PAPERS and name not in ON_MOVES:
                raise Invalid("scheme_invalid", f"no trace {name}", file=file.name, key=key)
    for name, code in (
        ("seized_goods", raw["carries"]["goods"]),
        ("concealment_zones", raw["carries"]["zone"]),
        *(("control_types", control) for control in raw["found_by"]),
    ):
        if code not in code_list(name):
            raise Invalid("scheme_invalid", f"not in list {name}", file=file.name, key=code)
    return Scheme(
        code=raw["code"],
        name=raw["name"],
        objective=raw["objective"],
        weight=raw["weight"],
        where=raw["where"],
        goods=raw["carries"]["goods"],
        kilograms=(raw["carries"]["kilograms"][0], raw["carries"]["kilograms"][1]),
        zone=raw["carries"]["zone"],
        traces=raw["traces"],
        confusers=confusers,
        found_by=raw["found_by"],
    )


@cache
def _validator() -> Draft202012Validator:
    text = files(__package__).joinpath("schemes", "scheme.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def choose(
    schemes: Sequence[Scheme], shipments: Sequence[Shipment], rate: float, seed: int
) -> list[Planted]:
    """Choose which shipments are used, by which scheme, and which lawful ones look like it.

    ``rate`` is the share of shipments used. A shipment is chosen once.
    """
    dice = Dice(seed, "schemes")
    free = [shipment for shipment in shipments if not shipment.master]
    taken: list[Planted] = []
    for scheme, count in _shares(schemes, round(rate * len(shipments))):
        for _ in range(count):
            if (victim := _draw(dice, scheme, free)) is not None:
                kilograms = round(dice.between(*scheme.kilograms))
                taken.append(Planted(victim, scheme, kilograms, scheme.traces, guilty=True))
        for confuser in scheme.confusers:
            for _ in range(round(count * confuser.each)):
                if (lawful := _draw(dice, scheme, free)) is not None:
                    taken.append(Planted(lawful, scheme, 0, confuser.traces, guilty=False))
    return taken


def _shares(schemes: Sequence[Scheme], total: int) -> list[tuple[Scheme, int]]:
    """Share a number out by weight, largest remainder first."""
    whole = sum(scheme.weight for scheme in schemes)
    exact = [total * scheme.weight / whole for scheme in schemes]
    counts = [int(share) for share in exact]
    order = sorted(range(len(schemes)), key=lambda at: (counts[at] - exact[at], at))
    for at in order[: total - sum(counts)]:
        counts[at] += 1
    return list(zip(schemes, counts, strict=True))


def _draw(dice: Dice, scheme: Scheme, free: list[Shipment]) -> Shipment | None:
    fitting = [at for at, shipment in enumerate(free) if scheme.fits(shipment)]
    return free.pop(dice.pick(fitting)) if fitting else None


def leave(planted: Sequence[Planted], kit: Kit, acts: Mapping[str, Any]) -> None:
    """Leave the traces of what was chosen, each with its probability."""
    for entry in planted:
        for name, act in acts.items():
            if kit.dice.chance(entry.chances.get(name, 0.0)):
                weight = entry.kilograms if entry.guilty else 0
                if act(entry.shipment, kit, weight):
                    entry.left.append(name)
