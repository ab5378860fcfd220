"""What a node tells its operators: structured logs and Prometheus metrics.

Neither may carry a person's data. A log line holds an event's name and fields from a short list
of ids, codes and figures; any other field is withheld and only its name shown. An exception shows
its type, its code if it is one of ours, and the lines it came through, never its message, since
messages quote values. No address of a client is ever logged.
"""

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from structlog.stdlib import BoundLogger, ProcessorFormatter

from isthmus.kernel.errors import IsthmusError

# The fields a log line may carry: ids, codes and figures.
FIELDS = frozenset(
    {
        "event",
        "level",
        "logger",
        "timestamp",
        "error",
        "action",
        "partner",  # code of a node
        "codes",
        "agency",
        "attempts",
        "code",
        "count",
        "document",
        "dead",
        "erasure",
        "file",
        "folder",
        "format",
        "host",
        "job",
        "kind",
        "method",
        "objective",
        "office",
        "outcome",
        "port",
        "queued",
        "received",
        "request",
        "revision",
        "route",
        "scored",
        "seconds",
        "sealed",
        "status",
        "threads",
        "total",
        "user",
        "version",
        "worker",
    }
)

_Line = MutableMapping[str, Any]


def log(name: str) -> BoundLogger:
    """Return a logger; works before ``configure`` too, then telling warnings only."""
    chain: list[Any] = [
        structlog.stdlib.filter_by_level,
        _guard,
        ProcessorFormatter.wrap_for_formatter,
    ]
    logger = structlog.wrap_logger(
        logging.getLogger(f"isthmus.{name}"),
        processors=chain,
        wrapper_class=BoundLogger,
        context_class=dict,
    )
    return cast(BoundLogger, logger)


def configure(*, json: bool, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs of this process to standard error, as JSON lines or for a console."""
    last = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer()
    formatter = ProcessorFormatter(
        foreign_pre_chain=[_foreign],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            last,
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)  # other people's libraries: what matters only
    logging.getLogger("isthmus").setLevel(level)
    access = logging.getLogger("uvicorn.access")  # it would write clients' addresses
    access.handlers.clear()
    access.disabled = True


def _guard(_logger: Any, method: str, line: _Line) -> _Line:
    error = line.pop("exc_info", None)
    if error:
        line["error"] = describe(error if isinstance(error, BaseException) else sys.exc_info()[1])
    withheld = sorted(set(line) - FIELDS)
    for name in withheld:
        del line[name]
    if withheld:
        line["withheld"] = withheld
    line.setdefault("level", method)
    line.setdefault("logger", getattr(_logger, "name", "isthmus"))
    return line


def _foreign(_logger: Any, method: str, line: _Line) -> _Line:
    """Keep of another library's line its name and the text before its arguments are filled in."""
    record: logging.LogRecord = line["_record"]
    plain: dict[str, Any] = {"event": str(record.msg), "logger": record.name, "level": method}
    if record.exc_info and record.exc_info[1] is not None:
        plain["error"] = describe(record.exc_info[1])
        record.exc_info = record.exc_text = None
    return {**plain, "_record": record, "_from_structlog": False}


def describe(error: BaseException | None) -> str:
    """Return an exception's type, code and path through the program, without its message."""
    if error is None:
        return "none"
    code = f" {error.code}" if isinstance(error, IsthmusError) else ""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " > ".join(f"{_short(frame.filename)}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__}{code}" + (f" at {places}" if places else "")


def _short(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-2:])


class Metrics:
    """The figures of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "isthmus_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._latency = Histogram(
            "isthmus_request_seconds",
            "Time to answer a request.",
            ["route", "method"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )
        self._records = Counter(
            "isthmus_records_received",
            "Records received, by format and outcome.",
            ["format", "outcome"],
            registry=self.registry,
        )
        self._scored = Counter(
            "isthmus_units_scored",
            "Units of the queue scored, by objective.",
            ["objective"],
            registry=self.registry,
        )
        self._jobs = Counter(
            "isthmus_jobs",
            "Jobs run, by kind and outcome.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self._queued = Gauge("isthmus_jobs_queued", "Jobs that wait.", registry=self.registry)
        self._dead = Gauge("isthmus_jobs_dead", "Dead letters.", registry=self.registry)
        self._group = Histogram(
            "isthmus_commit_units",
            "Units of work that shared one commit.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=self.registry,
        )
        self._write = Histogram(
            "isthmus_write_seconds",
            "Time of one commit with its units of work, until it is durable.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
            registry=self.registry,
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request by its route's pattern, never by the address asked for."""
        self._requests.labels(route, method, str(status)).inc()
        self._latency.labels(route, method).observe(seconds)

    def received(self, format_: str, outcomes: Mapping[str, int]) -> None:
        """Count records received, by outcome (accepted, quarantined, …)."""
        for outcome, count in outcomes.items():
            self._records.labels(format_, outcome).inc(count)

    def scored(self, objective: str, units: int) -> None:
        """Count units scored."""
        self._scored.labels(objective).inc(units)

    def job(self, kind: str, outcome: str) -> None:
        """Count a job that was done, failed or died."""
        self._jobs.labels(kind, outcome).inc()

    def queue(self, queued: int, dead: int) -> None:
        """Tell how many jobs wait, and how many are dead letters."""
        self._queued.set(queued)
        self._dead.set(dead)

    def commit(self, units: int, seconds: float) -> None:
        """Tell how many units of work shared a commit, and how long it took."""
        self._group.observe(units)
        self._write.observe(seconds)

    def render(self) -> bytes:
        """Return the figures in Prometheus' text format."""
        return generate_latest(self.registry)


# The figures of this process, unless somebody asks for others of their own.
metrics = Metrics()
