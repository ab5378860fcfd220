"""Logs that tell what happened and nothing about anybody; metrics of one's own."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from isthmus.kernel.errors import Invalid
from isthmus.platform import telemetry
from isthmus.platform.telemetry import Metrics


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Logs as JSON; the process' logging is put back afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("isthmus")
    access = logging.getLogger("uvicorn.access")
    before = root.handlers[:], root.level, ours.level, access.handlers[:], access.disabled
    stream = io.StringIO()
    telemetry.configure(json=True, stream=stream)
    yield stream
    root.handlers[:], access.handlers[:] = before[0], before[3]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    access.disabled = before[4]


def _read(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_is_json_with_its_moment_and_fields(lines: io.StringIO) -> None:
    telemetry.log("worker").info("job_done", kind="score", seconds=0.25)
    (line,) = _read(lines)
    moment = str(line.pop("timestamp"))
    assert moment.endswith("Z")
    assert line == {
        "event": "job_done",
        "kind": "score",
        "seconds": 0.25,
        "level": "info",
        "logger": "isthmus.worker",
    }


def test_fields_that_may_tell_of_a_person_are_withheld(lines: io.StringIO) -> None:
    telemetry.log("api").info("posted", body="<Declaration>", ip="192.0.2.7", consignee="Jane Roe")
    assert "192.0.2.7" not in lines.getvalue()
    assert "Jane" not in lines.getvalue()
    assert _read(lines)[0]["withheld"] == ["body", "consignee", "ip"]


def test_an_exception_shows_type_code_and_place_but_no_message(lines: io.StringIO) -> None:
    for error in (Invalid("value_impossible", "Jane Roe", value="Jane Roe"), ValueError("Jane")):
        try:
            raise error
        except (Invalid, ValueError):
            telemetry.log("flow").exception("failed")
    assert "Jane" not in lines.getvalue()
    first, second = _read(lines)
    assert str(first["error"]).startswith("Invalid value_impossible at platform/test_telemetry.py:")
    assert str(second["error"]).startswith("ValueError at ")


def test_other_libraries_lines_lose_their_arguments_and_messages(lines: io.StringIO) -> None:
    logger = logging.getLogger("some.library")
    logger.warning("cannot read %s from %s", "Jane Roe", "192.0.2.7")
    try:
        raise ValueError("Jane Roe")
    except ValueError:
        logger.exception("failed")
    logger.info("chatter")
    logging.getLogger("uvicorn.access").info('192.0.2.7 - "GET /persons/jane"')
    assert "Jane" not in lines.getvalue()
    assert "192.0.2.7" not in lines.getvalue()
    first, second = _read(lines)
    assert (first["event"], first["logger"]) == ("cannot read %s from %s", "some.library")
    assert str(second["error"]).startswith("ValueError at ")


def test_a_console_line_is_withheld_too() -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        telemetry.configure(json=False, stream=stream)
        telemetry.log("api").warning("posted", body="secret")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert "posted" in stream.getvalue()
    assert "secret" not in stream.getvalue()


def test_metrics_count_in_a_registry_of_their_own() -> None:
    one, two = Metrics(), Metrics()
    one.request("/units/{id}", "GET", 200, 0.02)
    one.received("wco", {"accepted": 42, "quarantined": 1})
    one.scored("contraband", 50)
    one.job("score", "done")
    one.queue(3, 1)
    one.commit(5, 0.004)
    text = one.render().decode()
    for line in (
        'isthmus_requests_total{method="GET",route="/units/{id}",status="200"} 1.0',
        'isthmus_records_received_total{format="wco",outcome="accepted"} 42.0',
        'isthmus_units_scored_total{objective="contraband"} 50.0',
        'isthmus_jobs_total{kind="score",outcome="done"} 1.0',
        "isthmus_jobs_queued 3.0",
        "isthmus_jobs_dead 1.0",
        "isthmus_commit_units_sum 5.0",
        "isthmus_write_seconds_count 1.0",
        'isthmus_request_seconds_count{method="GET",route="/units/{id}"} 1.0',
    ):
        assert line in text
    assert b"isthmus_jobs_queued 0.0" in two.render()
