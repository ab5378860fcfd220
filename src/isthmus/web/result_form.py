"""The form of an inspection's result: what was typed, what is wrong with it, what it reports."""

from dataclasses import dataclass, field

from isthmus.cases.inspections import IRREGULAR, Found, Report
from isthmus.cases.model import Result
from isthmus.web.visitor import Form

MOST_FINDINGS = 20


@dataclass(slots=True)
class Finding:
    """One finding as typed."""

    goods: str = ""
    quantity: str = ""
    unit: str = "KGM"
    pieces: str = ""
    zone: str = ""
    note: str = ""
    language: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was said in it."""
        return not (self.goods or self.quantity or self.pieces or self.zone or self.note)


@dataclass(slots=True)
class Draft:
    """The whole form as typed; ``errors`` has the key of the words beside each wrong field."""

    result: str = ""
    control_type: str = ""
    share: str = "0"
    delay: str = ""
    objective: str = ""
    findings: list[Finding] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def blank(control_type: str) -> Draft:
    """An empty form for an order of this control."""
    return Draft(control_type=control_type)


def read_form(form: Form) -> tuple[Draft, Report | None]:
    """Read what was sent. No report while something is wrong, or another finding is asked for."""
    draft = Draft(
        result=form.text("result"),
        control_type=form.text("control_type"),
        share=form.text("share_unloaded") or "0",
        delay=form.text("minutes_delay"),
        objective=form.text("objective"),
        findings=_findings(form),
    )
    if "add" in form:
        draft.findings.append(Finding())
        return draft, None
    if "remove" in form:
        kept = form.text("remove")
        draft.findings = [one for place, one in enumerate(draft.findings) if str(place) != kept]
        return draft, None
    draft.findings = [one for one in draft.findings if not one.empty]
    report = _report(draft)
    return draft, None if draft.errors else report


def _findings(form: Form) -> list[Finding]:
    found = []
    for place in range(MOST_FINDINGS):
        if f"goods-{place}" not in form:
            break
        found.append(
            Finding(
                **{
                    name: form.text(f"{name}-{place}")
                    for name in ("goods", "quantity", "unit", "pieces", "zone", "note", "language")
                }
            )
        )
    return found


def _report(draft: Draft) -> Report | None:
    try:
        result = Result(draft.result)
    except ValueError:
        draft.errors["result"] = "result.error_result"
        result = Result.INCONCLUSIVE
    share = _number(draft.share)
    if share is None or not 0 <= share <= 100:
        draft.errors["share_unloaded"] = "result.error_share"
    delay = _number(draft.delay)
    if delay is None or delay < 0 or delay != int(delay):
        draft.errors["minutes_delay"] = "result.error_delay"
    if result in IRREGULAR and not draft.objective:
        draft.errors["objective"] = "result.error_objective"
    found = [_found(draft, place, one) for place, one in enumerate(draft.findings)]
    if draft.errors:
        return None
    return Report(
        result=result,
        control_type=draft.control_type,
        minutes_delay=int(delay or 0),
        share_unloaded=(share or 0) / 100,
        # An objective belongs to an irregularity; one ticked and left behind says nothing.
        objective=draft.objective if result in IRREGULAR else None,
        findings=tuple(found),
    )


def _found(draft: Draft, place: int, typed: Finding) -> Found:
    quantity = _number(typed.quantity) if typed.quantity else None
    pieces = _number(typed.pieces) if typed.pieces else None
    if not typed.goods:
        draft.errors[f"goods-{place}"] = "result.error_goods"
    if typed.quantity and (quantity is None or quantity <= 0):
        draft.errors[f"quantity-{place}"] = "result.error_quantity"
    if typed.pieces and (pieces is None or pieces < 1 or pieces != int(pieces)):
        draft.errors[f"pieces-{place}"] = "result.error_pieces"
    if typed.note and not typed.language:
        draft.errors[f"language-{place}"] = "result.error_language"
    return Found(
        goods=typed.goods,
        quantity=quantity,
        unit=(typed.unit or None) if quantity else None,
        pieces=int(pieces) if pieces else None,
        zone=typed.zone or None,
        note=typed.note[:2000] or None,
        language=typed.language or None,
    )


def _number(text: str) -> float | None:
    """A number as people type it: a decimal comma is one, groups of thousands are not taken."""
    try:
        number = float(text.replace(",", ".").replace("\N{NO-BREAK SPACE}", ""))
    except ValueError:
        return None
    return number if abs(number) < 1e12 else None
