"""The desk of rules: what each looks for, on which ground, how often it fires, and its life."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import RowMapping

from isthmus.access import store as people
from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.intelligence import reading
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.store import Wanted
from isthmus.kernel.errors import Conflict, Denied, Invalid, IsthmusError, NotFound
from isthmus.platform.transaction import Transaction
from isthmus.risk import rulebook
from isthmus.risk.rules import Rule, RuleState
from isthmus.web import store
from isthmus.web.condition import lines
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

SAMPLE = 3000
PROFILES = 20
Seen = Annotated[Visitor, Depends(may(Permission.RULE_READ))]
Writing = Annotated[Visitor, Depends(may(Permission.RULE_WRITE))]
Moving = Annotated[Visitor, Depends(may(Permission.RULE_WRITE, Permission.RULE_APPROVE))]


@router.get("/rules")
def desk(
    request: Request,
    visitor: Seen,
    id_: Annotated[str, Query(alias="id", max_length=120)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show every rule in its newest version, and how often it fired lately."""

    def read(tx: Transaction) -> dict[str, Any]:
        return {
            "pairs": rulebook.rules(tx, visitor.actor),
            "profiles": _profiles(tx, visitor),
            **_hits(tx, visitor),
        }

    found = visitor.node.database.read(read)
    pairs: list[tuple[RowMapping, Rule]] = found.pop("pairs")
    if id_ and (named := [row for row, _ in pairs if row["rule_id"] == id_]):
        return RedirectResponse(f"/rules/{named[0]['id']}", status_code=303)
    newest: dict[str, tuple[RowMapping, Rule]] = {}
    for row, rule in pairs:  # newest version first; one in force goes before a newer draft
        known = newest.get(rule.id)
        if known is None or (row["state"] == "live" and known[0]["state"] != "live"):
            newest[rule.id] = (row, rule)
    shown = [pair for pair in newest.values() if not state or pair[0]["state"] == state]
    shown.sort(key=lambda pair: (_ORDER[pair[0]["state"]], pair[1].objective, -pair[1].weight))
    counts = Counter(row["state"] for row, _ in newest.values())
    return page(request, visitor, "rules.html", pairs=shown, state=state, states=counts, **found)


_ORDER = {"live": 0, "shadow": 1, "draft": 2, "retired": 3}


@router.get("/rules/propose")
def draft(request: Request, visitor: Writing, like: str = "") -> Response:
    """Show the form in which a rule is proposed; ``like`` begins from an existing one."""
    text = ""
    if like:
        pairs = visitor.node.database.read(lambda tx: rulebook.rules(tx, visitor.actor))
        source = next((row["source"] for row, _ in pairs if row["id"] == like), None)
        text = _listed(source) if source else ""
    return page(request, visitor, "rule_propose.html", text=text, error=None)


@router.post("/rules/propose")
def propose(request: Request, visitor: Writing, form: Typed) -> Response:
    """Enter a rule as a draft; what is wrong with it is said with its place."""
    text = form.raw("text")
    try:
        key = visitor.node.database.write(lambda tx: rulebook.propose(tx, visitor.actor, text))
    except (Invalid, Conflict) as error:
        return page(
            request, visitor, "rule_propose.html", status=422, text=text, error=_told(error)
        )
    return back(f"/rules/{key}", done="propose")


@router.get("/rules/{key}")
def rule(request: Request, visitor: Seen, key: str) -> Response:
    """Show one rule: its condition in words, its ground, its examples, its versions."""

    def read(tx: Transaction) -> dict[str, Any]:
        pairs = rulebook.rules(tx, visitor.actor)
        mine = [pair for pair in pairs if pair[0]["id"] == key]
        if not mine:
            raise NotFound("rule_unknown", "no such rule", rule=key)
        row, rule = mine[0]
        return {
            "row": row,
            "rule": rule,
            "versions": [other for other, _ in pairs if other["rule_id"] == rule.id],
            "names": {one.id: one.name or "–" for one in people.people(tx)},
            **_hits(tx, visitor),
        }

    found = visitor.node.database.read(read)
    held: Rule = found["rule"]
    labels = visitor.labels
    thresholds = {name: limit.value for name, limit in held.thresholds.items()}
    return page(
        request,
        visitor,
        "rule.html",
        condition=lines(held.when, labels, thresholds),
        steps=sorted(
            rulebook.STEPS.get(RuleState(found["row"]["state"]), ()),
            key=lambda state: _ORDER[state],
        ),
        fires=[_example(labels, row) for row in held.fires],
        silent=[_example(labels, row) for row in held.silent],
        **found,
    )


@router.post("/rules/{key}/advance")
def advance(visitor: Moving, key: str, form: Typed) -> Response:
    """Move a rule on; it goes live by another person than the one who proposed it."""
    path = f"/rules/{key}"
    try:
        then = RuleState(form.text("state"))
    except ValueError:
        return back(path, problem="state_forbids")
    try:
        visitor.node.database.write(lambda tx: rulebook.advance(tx, visitor.actor, key, then))
    except Conflict as error:
        return back(path, problem=error.code)
    except Denied as error:
        if error.code != "second_person":
            raise
        return back(path, problem=error.code)
    return back(path, done="advance")


def _profiles(tx: Transaction, visitor: Visitor) -> list[RowMapping]:
    """What partners sent that could become a rule here."""
    if not visitor.may(Permission.ITEM_READ):
        return []
    wanted = Wanted(kinds=(ItemKind.RISK_PROFILE,), own=False)
    return reading.desk(tx, visitor.actor, wanted, PROFILES)


def _hits(tx: Transaction, visitor: Visitor) -> dict[str, Any]:
    """How often each rule fired among the newest current assessments this person may see."""
    bodies = store.recent_bodies(tx, scope(visitor.actor, Permission.UNIT_READ), SAMPLE)
    hits: Counter[str] = Counter()
    for body in bodies:
        held = orjson.loads(body)
        hits.update(
            reason["code"][5:]
            for reason in held["reasons"]
            if str(reason["code"]).startswith("rule:")
        )
        hits.update(held["shadow"])
    return {"hits": hits, "sample": len(bodies)}


def _example(labels: Any, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    from isthmus.risk.explain import shown

    return [(labels.field(name), shown(value, labels.reader.locale)) for name, value in row.items()]


def _listed(source: str) -> str:
    """A stored rule as an entry of a list, which is how rules are proposed."""
    first, *rest = source.rstrip("\n").split("\n")
    return "\n".join([f"- {first}", *(f"  {line}" if line else "" for line in rest)]) + "\n"


def _told(error: IsthmusError) -> dict[str, str]:
    where = error.where
    return {
        "code": error.code,
        "message": error.message,
        "path": str(where.get("path") or where.get("example") or ""),
        "value": "" if where.get("value") is None else str(where["value"])[:200],
    }
