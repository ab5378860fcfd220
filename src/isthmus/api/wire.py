"""What stands in requests and answers: their base classes and the forms of single values.

A value is refused here, with its place, before anything of ours sees it: text with control
characters, numbers beyond what a database keeps, moments outside this century and the next.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from isthmus.reference.codelist import code_list

T = TypeVar("T")

ID = r"^[a-z]{2,8}_[0-9a-z]{26}$"
LINE = r"^[^\x00-\x1f\x7f]+$"
TEXT = r"^[^\x00]*$"
CODE = r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$"
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)


class Ask(BaseModel):
    """Base of what is asked: an unknown field is an error, for it is mostly a typing mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Answer(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Listed(Answer, Generic[T]):
    """A page of a list."""

    model_config = ConfigDict(json_schema_extra={"description": "A page of a list."})

    items: list[T]
    more: bool = Field(description="whether there are more behind the last one")


class Done(Answer):
    """The act is done and durable."""

    id: str = Field(
        description="what was acted on or made", examples=["hold_06bq3f1m9t0xk2r8v5hc7n4ezs"]
    )
    state: str | None = Field(None, description="the state it is in now, where it has one")


def text_only(value: Any) -> Any:
    """Refuse a number where a moment or day is written: nothing says what it counts."""
    if isinstance(value, str | datetime | date):
        return value
    raise ValueError("write it as text, ISO 8601")


def page(rows: list[T], limit: int) -> Listed[T]:
    """Return a page of rows that were asked for with one more than the limit."""
    return Listed(items=rows[:limit], more=len(rows) > limit)


Id = Annotated[str, StringConstraints(pattern=ID)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=CODE)]
Text = Annotated[str, StringConstraints(max_length=4_000, pattern=TEXT)]
Moment = Annotated[AwareDatetime, BeforeValidator(text_only), Field(ge=EARLIEST, le=LATEST)]
At = AwareDatetime
"""A moment in an answer: as it is kept, however long ago."""
Day = Annotated[date, BeforeValidator(text_only), Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
Places = Annotated[frozenset[Code], Field(max_length=200)]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]
Truth = Annotated[bool, Field(strict=True)]


def coded(name: str) -> Any:
    """Describe a code by the list it is of; the service below refuses what the list lacks."""
    codes: list[Any] = list(code_list(name).codes())
    return Field(description=f"code list `{name}`", json_schema_extra={"enum": codes})


Reason = Annotated[Code, coded("reasons")]
Control = Annotated[Code, coded("control_types")]
Reasons = Annotated[list[Reason], Field(min_length=1, max_length=20)]

IdPath = Annotated[str, Path(pattern=ID, examples=["unit_06bq3f1m9t0xk2r8v5hc7n4ezs"])]
Limit = Annotated[int, Query(ge=1, le=500, description="at most so many")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="pass over so many")]
CodeQuery = Annotated[str | None, Query(min_length=1, max_length=80, pattern=CODE)]
