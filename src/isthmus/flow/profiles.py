"""Risk profiles between nodes: a partner's tried on own data and adopted, an own one published.

A profile comes as data and becomes a rule of this node only by two of its people, after it was run
over what this node saw. What goes back to its originator are counts: no consignment, and no number
so small that it would tell of one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import yaml

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, node_actor
from isthmus.exchange.trust import identity
from isthmus.flow import profile_terms
from isthmus.flow.profile_examples import examples
from isthmus.flow.profile_terms import LeftOut, Terms
from isthmus.flow.rule_trial import Tried, try_rule
from isthmus.intelligence import items, reading
from isthmus.intelligence import store as item_store
from isthmus.intelligence.keeping import ItemState
from isthmus.intelligence.model import Item, ItemKind, Marking
from isthmus.intelligence.store import Wanted
from isthmus.kernel.errors import Conflict, Denied, Invalid, NotFound
from isthmus.kernel.time import isoformat
from isthmus.platform import audit
from isthmus.platform.transaction import Event, Transaction
from isthmus.reference.codelist import LOCALES, code_list, language_of
from isthmus.risk import rulebook
from isthmus.risk.catalogue import feature, field_kinds
from isthmus.risk.conditions import Scope, columns, parse
from isthmus.risk.firing import compile_rules
from isthmus.risk.rules import Effect, Rule, RuleState, read_rule

SMALL = 5
"""Counts below it are not told to others: they would tell of single consignments."""

WEIGHT = 0.2
"""The weight of an adopted rule until somebody sets another: a fair one, no more. Ours."""

PUBLISH_FOR = timedelta(days=180)  # a profile ends; where the rule says no day, after so long

_NAMES = {
    "es": "Perfil de {node}: {title}",
    "en": "Profile of {node}: {title}",
    "fr": "Profil de {node} : {title}",
    "nl": "Profiel van {node}: {title}",
    "pt": "Perfil de {node}: {title}",
}
_EXPLAIN = {
    "es": "Corresponde al perfil {item}, versión {version}, de {node}: {title}.",
    "en": "Meets profile {item}, version {version}, of {node}: {title}.",
    "fr": "Correspond au profil {item}, version {version}, de {node} : {title}.",
    "nl": "Voldoet aan profiel {item}, versie {version}, van {node}: {title}.",
    "pt": "Corresponde ao perfil {item}, versão {version}, de {node}: {title}.",
}
_ALL = 100_000
_STANDING = (RuleState.DRAFT, RuleState.SHADOW, RuleState.LIVE)


@dataclass(frozen=True, slots=True)
class Profile:
    """A partner's profile as this node could use it: its terms, and the rule they make here."""

    item: Item
    terms: Terms
    text: str | None  # the rule as it may be proposed, YAML; null where nothing could be mapped
    rule: Rule | None
    adopted: str | None  # key of the newest version of the rule that stands here
    lacks: str = ""  # why there is no text: code

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What of it no rule here can read."""
        return self.terms.left_out


def rule_id(item_id: str) -> str:
    """Return the id of the rule that a partner's profile becomes here."""
    return item_id.lower().replace("-", "_").replace(":", "_")


def read(tx: Transaction, actor: Actor, item_id: str) -> Profile:
    """Return a partner's profile with the rule it would make here.

    Raises ``NotFound``, and ``Conflict`` for one that did not come for targeting, is an own one,
    or is out of use.
    """
    check(tx, actor, Permission.RULE_READ, object_id=item_id)
    item = _for_targeting(tx, actor, item_id)
    said = profile_terms.terms(item)
    text, rule, lacks = _drafted(item, said)
    return Profile(item, said, text, rule, _adopted(tx, actor, item_id), lacks)


def _for_targeting(tx: Transaction, actor: Actor, item_id: str) -> Item:
    row, copies = reading.find(tx, actor, item_id)
    if row["kind"] != ItemKind.RISK_PROFILE:
        raise NotFound("profile_unknown", "no such profile", item=item_id)
    if row["own"]:
        raise Conflict("profile_own", "it was made from a rule of this node", item=item_id)
    if row["state"] != ItemState.CURRENT:
        raise Conflict("item_over", "the profile is recalled, erased or expired", item=item_id)
    standing = [
        one.item
        for one in copies
        if one.item is not None
        and one.row["state"] == ItemState.CURRENT
        and one.row["targeting"]
        and one.row["version"] == row["version"]
    ]
    if not standing:
        raise Conflict("profile_not_targeting", "it came for another purpose", item=item_id)
    return max(standing, key=lambda one: len(one.paths()))


def _drafted(item: Item, said: Terms) -> tuple[str | None, Rule | None, str]:
    """Write the rule, with examples that prove it; say what lacks where it cannot be written."""
    if said.when is None:
        return None, None, "profile_nothing_mapped"
    if "objective" not in item.body or "title" not in item.body:
        return None, None, "profile_incomplete"
    document = _document(item, said)
    kinds, lists = field_kinds(), rulebook.shipped().lists
    rule = read_rule(document, "profile", kinds, lists)
    loud, still = examples(rule.when, compile_rules([rule]))
    if loud is None or still is None:
        return None, rule, "profile_without_example"
    document["examples"] = {"fires": [dict(loud)], "silent": [dict(still)]}
    text = yaml.safe_dump([document], allow_unicode=True, sort_keys=False, width=100)
    return text, read_rule(document, "profile", kinds, lists), ""


def _document(item: Item, said: Terms) -> dict[str, Any]:
    body, title = item.body, item.body["title"]["text"]
    words = {"node": item.originator, "item": item.id, "version": item.version}
    plain = {**words, "title": title}
    # Braces in a partner's words would be read as values to show.
    safe = {**words, "title": title.replace("{", "{{").replace("}", "}}").rstrip(".")}
    source = f"profile {item.id}, version {item.version}"
    until = body.get("expires_at")
    return {
        "id": rule_id(item.id),
        "version": item.version,
        "state": RuleState.DRAFT.value,
        "objective": body["objective"],
        "effect": Effect.SCORE.value,
        "weight": WEIGHT,
        "names": {one: _NAMES[one].format(**plain)[:200] for one in LOCALES},
        "explain": {one: _EXPLAIN[one].format(**safe) + _values(said, one) for one in LOCALES},
        "citation": {"text": f"Risk {source}, sent by {item.originator}", "verified": True},
        "owner": "risk analysis, partners' profiles",
        **({"expires": until[:10]} if until else {}),
        **(
            {"thresholds": {name: {"value": value, "source": source}
                            for name, value in said.thresholds.items()}}
            if said.thresholds
            else {}
        ),
        "when": said.when,
        "examples": {"fires": [{}], "silent": [{}]},
    }  # fmt: skip


def _values(said: Terms, locale: str) -> str:
    """Show in the explanation what the fields hold that have a name in the reader's language."""
    numbers = {name: float(value) for name, value in said.thresholds.items()}
    read_ = columns(parse(said.when, Scope(field_kinds(), numbers, rulebook.shipped().lists)))
    named = [(one.label(locale), name) for name in sorted(read_) if (one := feature(name))]
    shown = "; ".join(f"{label}: {{{name}}}" for label, name in named[:6])
    return f" {shown}." if shown else ""


def _adopted(tx: Transaction, actor: Actor, item_id: str) -> str | None:
    found = [row for row, _ in rulebook.rules(tx, actor) if row["rule_id"] == rule_id(item_id)]
    return str(found[0]["id"]) if found else None  # newest version first


# -- trying and adopting ------------------------------------------------------------------


def test_run(tx: Transaction, actor: Actor, item_id: str) -> Tried:
    """Run a partner's profile over own past data: how often it fires, how often it was right."""
    profile = read(tx, actor, item_id)
    if profile.rule is None:
        raise Conflict(profile.lacks, "no rule here can say what it says", item=item_id)
    return try_rule(tx, actor, profile.rule)


def adopt(tx: Transaction, actor: Actor, item_id: str, text: str | None = None) -> str:
    """Propose the rule that a partner's profile makes, as it is or as a person changed its text.

    It is a draft like any other: on trial first, live by another person. Returns its key.
    """
    check(tx, actor, Permission.RULE_WRITE, object_id=item_id)
    profile = read(tx, actor, item_id)
    written = text if text is not None else profile.text
    if written is None:
        raise Conflict(profile.lacks, "no rule here can say what it says", item=item_id)
    key = rulebook.propose(tx, actor, written)
    if key.partition("@")[0] != rule_id(item_id):
        raise Invalid("profile_rule_other", "keep the id of the rule", path="id", value=key)
    audit.record(
        tx, actor.id, "profile.adopt", "item", item_id, agency=actor.agency, rule=key,
        version=profile.item.version, left_out=len(profile.left_out),
    )  # fmt: skip
    return key


def heed_end(tx: Transaction, event: Event) -> None:
    """A partner took a profile back: the rule it became stops. A reaction to ``item.recalled``."""
    row = item_store.item(tx, event.object_id)
    if row is None or row["own"] or row["kind"] != ItemKind.RISK_PROFILE:
        return
    actor = node_actor()
    for rule, _ in rulebook.rules(tx, actor):
        if rule["rule_id"] == rule_id(event.object_id) and rule["state"] in _STANDING:
            rulebook.advance(tx, actor, rule["id"], RuleState.RETIRED)


# -- feedback -----------------------------------------------------------------------------


def told_counts(known: int, found: int) -> dict[str, int]:
    """Return the counts that may be told: none below ``SMALL``, and none that gives one away."""
    if known < SMALL:
        return {}
    if found < SMALL or 0 < known - found < SMALL:
        return {"picks": known}
    return {"picks": known, "found": found}


def draft_feedback(
    tx: Transaction, actor: Actor, item_id: str, marking: Marking, outcome: str | None = None
) -> Item:
    """Draft what this node tells a profile's originator: counts over what it saw, and no more.

    The item is sent like any other (``flow.share.send``). ``picks`` are consignments that the
    rule fires on and that were inspected to a conclusion, ``found`` those of them with a finding.
    """
    check(tx, actor, Permission.ITEM_WRITE, object_id=item_id)
    profile = read(tx, actor, item_id)
    counts = {}
    if profile.rule is not None:
        tried = try_rule(tx, actor, profile.rule)
        counts = told_counts(tried.fired.known, tried.fired.found)
    if outcome is None:
        outcome = "used_for_targeting" if profile.adopted else "not_used"
    if outcome not in code_list("feedback_outcomes"):
        raise Invalid("code_unknown", "no such outcome", field="outcome", value=outcome)
    body: dict[str, Any] = {
        "about": item_id,
        "version": profile.item.version,
        "outcome": outcome,
        "given_at": isoformat(tx.now.replace(microsecond=0)),
        "used_for": ["targeting"],
        **counts,
    }
    node = identity.me(tx)["node"]
    return items.draft(tx, actor, node, ItemKind.FEEDBACK, body, marking)


# -- the other way ------------------------------------------------------------------------


def publish(
    tx: Transaction,
    actor: Actor,
    rule_key: str,
    marking: Marking,
    *,
    locale: str = "en",
    back_test: bool = True,
) -> Item:
    """Make a profile of an own rule that is live or on trial; whoever sends it decides to whom.

    With it goes what the rule would have found, where the counts are large enough to be told.
    """
    check(tx, actor, Permission.ITEM_WRITE, object_id=rule_key)
    rule = _own_rule(tx, actor, rule_key)
    thresholds = {name: limit.value for name, limit in rule.thresholds.items()}
    said = profile_terms.said(rule.document["when"], thresholds, rulebook.shipped().lists)
    language = language_of(locale)
    until = rule.expires or (tx.now + PUBLISH_FOR).date()
    body: dict[str, Any] = {
        "objective": rule.objective.value,
        "title": {"language": language, "text": rule.names[language]},
        "rule": said.rule,
        **({"parameters": [dict(one) for one in said.parameters]} if said.parameters else {}),
        "expires_at": isoformat(_end_of(until)),
    }
    if back_test:
        body |= _back_test(try_rule(tx, actor, rule))
    item = items.draft(tx, actor, identity.me(tx)["node"], ItemKind.RISK_PROFILE, body, marking)
    audit.record(
        tx, actor.id, "profile.publish", "rule", rule_key, agency=actor.agency, item=item.id
    )
    return item


def _own_rule(tx: Transaction, actor: Actor, rule_key: str) -> Rule:
    check(tx, actor, Permission.RULE_READ, object_id=rule_key)
    found = [rule for row, rule in rulebook.rules(tx, actor) if row["id"] == rule_key]
    if not found:
        raise NotFound("rule_unknown", "no such rule", rule=rule_key)
    rule = found[0]
    if rule.state not in (RuleState.SHADOW, RuleState.LIVE):
        raise Conflict("state_forbids", "only a rule that runs is published", rule=rule_key)
    if _of_partner(tx, rule.id):
        raise Denied("not_originator", "a partner's profile is passed on as it came", rule=rule_key)
    return rule


def _of_partner(tx: Transaction, rule: str) -> bool:
    wanted = Wanted(kinds=(ItemKind.RISK_PROFILE,), states=tuple(ItemState), own=False)
    seen = scope(node_actor(), Permission.ITEM_READ)
    return rule in {rule_id(row["id"]) for row in item_store.items(tx, seen, wanted, _ALL)}


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def _back_test(tried: Tried) -> Mapping[str, Any]:
    counts = told_counts(tried.fired.known, tried.fired.found)
    if tried.since is None or tried.until is None or tried.looked_at < SMALL:
        return {}
    body: dict[str, Any] = {
        "back_test_from": tried.since.date().isoformat(),
        "back_test_until": tried.until.date().isoformat(),
        "back_test_assessed": tried.looked_at,
    }
    if "picks" in counts:
        body["back_test_picked"] = counts["picks"]
    if "found" in counts:
        body["back_test_found"] = counts["found"]
    return body
