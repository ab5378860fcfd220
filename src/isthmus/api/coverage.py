"""Coverage: which share of the known movements was assessed; and asking for a scoring."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer
from isthmus.cargo import service
from isthmus.platform import audit, jobs
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api", tags=["coverage"])
Reader = Annotated[Actor, Depends(allowed(Permission.COVERAGE_READ))]
Starter = Annotated[Actor, Depends(allowed(Permission.UNIT_SCORE))]


class RegimeCoverage(Answer):
    """The coverage of one regime."""

    regime: str = Field(description="code list `regimes`")
    known: int
    assessed: int
    share: float | None = Field(description="of the known ones that were assessed, 0 to 1")


class Coverage(Answer):
    """The coverage of all regimes."""

    items: list[RegimeCoverage]


class Scoring(Answer):
    """A scoring was asked for."""

    due: int = Field(description="units that wait to be scored")
    queued: bool = Field(description="false: a scoring was waiting already")


@router.get("/coverage", responses=answers())
def read_coverage(node: NodeServed, actor: Reader) -> Coverage:
    """Return how many known movements were assessed, by regime."""
    rows = node.database.read(lambda tx: service.coverage(tx, actor))
    return Coverage(items=[RegimeCoverage.model_validate(row) for row in rows])


@router.post("/score", status_code=202, responses=answers())
def start_scoring(node: NodeServed, actor: Starter) -> Scoring:
    """Ask for everything new or changed to be scored; the answer comes before the scores."""

    def work(tx: Transaction) -> bool:
        check(tx, actor, Permission.UNIT_SCORE)
        audit.record(tx, actor.id, "score.ask", "node", "node", agency=actor.agency)
        return jobs.enqueue(tx, "score", key="score")

    queued = node.database.write(work)
    return Scoring(due=node.scorer.due(), queued=queued)
