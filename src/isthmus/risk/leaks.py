"""The leak detector: whether a labelled set can be scored without any skill.

A set is clean when an exact-tuple look-up gains no more than a stated margin over smoothed rates
that have not seen the tuple (``copier.py``), when no field, actor or date settles the label, when
the test does not stand in the training rows (``leak_fields.py``), and when neither ids nor the
order of rows predict (``leak_order.py``). Figures on a set that leaks say nothing about a model.

False alarms: none of 282 simulated clean sets of 4,000 rows is convicted, on seeds kept apart until
every threshold stood (base rates of 2 to 22 %, weak and strong repeat offenders, with and without
a time or declared actors; an actor's risk is at most .6, and where actors or goods are certain
offenders a set is convicted as settled). On 35 of them too few labels repeat to judge memorisation,
which is a notice. Ten fresh seeds of each of 14 planted leaks are all convicted; the Korean
declarations are acquitted once each leaky tuple stands only once. ``tests/risk/test_leaks.py``
holds a hundred sets to at most two. Two rules were made stricter on earlier simulated sets:
the chance of ids and order (.002 to .001), and the precision asked of an actor that ranks well.
Nothing was set by looking at the product's own simulator.

The detector can convict, never prove innocence: a leak through a hash of the id, or in a joint
pattern of more than six fields, is beyond it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from isthmus.kernel.errors import Invalid
from isthmus.risk import leak_fields, leak_order
from isthmus.risk.copier import MARGIN, Copier, Progress, judge, search
from isthmus.risk.labelled import Coded, Field, LabelledSet, code
from isthmus.risk.leak_findings import Finding


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at, what a copier would score, and what was found."""

    name: str
    clean: bool
    findings: tuple[Finding, ...]
    copier: Copier
    tuples: tuple[Copier, ...]
    train_rows: int
    test_rows: int
    train_positive: float
    test_positive: float
    split: str
    left_out: int

    def as_dict(self) -> Mapping[str, Any]:
        """The verdict as plain values; ``margin`` is what a look-up may gain."""
        return {**asdict(self), "margin": MARGIN}


def check(
    given: LabelledSet,
    progress: Progress = lambda _name, _done, _total: None,
    tuples: Sequence[Sequence[str]] = (),
) -> Verdict:
    """Judge a labelled set; ``tuples`` names further tuples of fields to copy by.

    Raises ``Invalid`` when the set cannot be judged: no such column, a label that is not 0 or 1, a
    time that is none, too few rows of either label.
    """
    coded = code(given)
    asked = [_named(coded, names) for names in tuples]
    found = _tuples(coded, progress)
    if not found:
        raise Invalid("leaks_no_fields", "no column is left to look up", file=given.name)
    judged = []
    for step, fields in enumerate(found + asked):
        progress("look-ups", step, len(found + asked))
        judged.append(judge(coded, fields))
    findings = [
        *_memorised(judged),
        *_repeated(coded),
        *leak_fields.overlap(coded),
        *leak_fields.pure(coded),
        *leak_fields.constant_actors(coded),
        *leak_fields.time_travel(coded),
        *leak_fields.drift(coded),
    ]
    looks = (leak_order.order, leak_order.ids, leak_order.entities)
    for step, look in enumerate(looks):
        progress("ids and order", step, len(looks))
        findings += look(coded)
    return Verdict(
        name=given.name,
        clean=all(finding.severity != "leak" for finding in findings),
        findings=tuple(findings),
        copier=judged[0],
        tuples=tuple(judged[1:]),
        train_rows=int(coded.train.sum()),
        test_rows=int(coded.test.sum()),
        train_positive=float(coded.positive[coded.train].mean()),
        test_positive=float(coded.positive[coded.test].mean()),
        split=coded.split,
        left_out=coded.left_out,
    )


def _tuples(coded: Coded, progress: Progress) -> list[tuple[Field, ...]]:
    """The tuples to copy by, the best first: with actors and, where any are declared, without.

    An actor's history ranks well and lawfully, and could hide a leak that needs no actor.
    """
    found = search(coded, coded.searched, progress)
    if coded.entities:
        known = {frozenset(fields) for _, fields in found}
        found += [
            entry
            for entry in search(coded, coded.fields, progress)
            if frozenset(entry[1]) not in known
        ]
    return [fields for _, fields in sorted(found, key=lambda entry: -entry[0])]


def _memorised(judged: Sequence[Copier]) -> list[Finding]:
    """The tuple that convicts most clearly, if any does."""
    guilty = [copier for copier in judged if copier.convicts]
    if not any(copier.gain is not None for copier in judged):
        words = "Memorisation cannot be judged: fewer than twenty test rows of either label repeat."
        return [Finding("memorisation", "notice", (), {}, words)]
    if not guilty:
        return []
    worst = max(guilty, key=lambda copier: copier.gain_low or 0.0)
    words = (
        f"Labels can be copied: looking up ({', '.join(worst.fields)}) ranks the {worst.seen:.1%} "
        f"of test rows seen before with AUC {worst.lookup_auc_seen:.3f}, where rates that have not "
        f"seen the tuple reach {worst.honest_auc_seen:.3f}."
    )
    return [Finding("memorisation", "leak", worst.fields, _figures(worst), words)]


def _repeated(coded: Coded) -> list[Finding]:
    """Whether rows equal in every field carry their label over."""
    copier = judge(coded, coded.searched)
    if len(coded.searched) <= 1 or not copier.convicts:
        return []
    words = (
        f"{copier.seen:.1%} of test rows equal a training row in every field and take its label "
        f"(AUC {copier.lookup_auc_seen:.3f}, honest rates {copier.honest_auc_seen:.3f})."
    )
    return [Finding("overlap", "leak", (), _figures(copier), words)]


def _figures(copier: Copier) -> Mapping[str, float]:
    return {
        name: value
        for name, value in asdict(copier).items()
        if isinstance(value, int | float) and value is not None
    }


def _named(coded: Coded, names: Sequence[str]) -> tuple[Field, ...]:
    fields = {field.name: field for field in coded.searched}
    for name in names:
        if name not in fields:
            raise Invalid("leaks_column_missing", "no such field to look up", column=name)
    return tuple(fields[name] for name in dict.fromkeys(names))
