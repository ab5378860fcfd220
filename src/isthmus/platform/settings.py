"""A node's settings and the folder it lives in.

    NODE/                 0700: nobody but the account that runs the node may look inside
      node.toml           the settings below, with a comment beside each
      keys/node.key       the node's secrets, 0600
      isthmus.db          the database (unless node.toml names a PostgreSQL one)
      audit.head          the head of the audit's chain, noted apart from the database
      erasures.jsonl      the journal of lawful erasures, replayed by a restore
      tmp/                drafts of what is being received; emptied at will

Settings are read and checked once, at start. A wrong one names its file, key, value and what is
allowed instead; nothing is guessed, and an unknown key is an error, since it is mostly a typing
mistake in one that matters.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform.keys import KeyRing

DATABASE_URL = "ISTHMUS_DATABASE_URL"
LOCALES = ("es", "en", "fr", "nl", "pt")

_Short = Annotated[str, Field(min_length=1, max_length=120)]
_Days = Annotated[int, Field(ge=1, le=36_500)]
_Minutes = Annotated[int, Field(ge=1, le=43_200)]
_Bytes = Annotated[int, Field(ge=1024, le=1 << 40)]
_WHOLE_DAYS = "days, a whole number from 1 to 36500"
_WHOLE_MINUTES = "minutes, a whole number from 1 to 43200"
_WHOLE_BYTES = "bytes, a whole number from 1024 to 1099511627776"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NodeSettings(_Section):
    """Which node this is."""

    name: _Short = Field(description="the node's name as people see it, 1 to 120 characters")
    locale: Literal["es", "en", "fr", "nl", "pt"] = Field(
        "en", description="language for people who have chosen none: es, en, fr, nl or pt"
    )
    zone: str = Field(
        "UTC", description="time zone of the offices, as America/Panama", min_length=1
    )


class AgencySettings(_Section):
    """The authority that runs the node."""

    code: str = Field(
        pattern=r"^[A-Z0-9][A-Z0-9_-]{1,19}$",
        description="short code: 2 to 20 capitals, digits, - or _",
    )
    name: _Short = Field(description="the authority's full name, 1 to 120 characters")
    country: str = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 code, as PA")
    office: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,20}$",
        description="office taken when a record names none: 1 to 20 letters, digits, - or _",
    )


class DatabaseSettings(_Section):
    """Where the records stand."""

    url: str = Field(
        "", description=f"empty for isthmus.db in this folder, or a URL; {DATABASE_URL} overrides"
    )


class ListenSettings(_Section):
    """Where the node answers."""

    host: str = Field(
        "127.0.0.1", min_length=1, max_length=255, description="address or name to listen on"
    )
    port: int = Field(8440, ge=1, le=65535, description="port, a whole number from 1 to 65535")


class SessionSettings(_Section):
    """How long a person stays signed in."""

    idle_minutes: _Minutes = Field(30, description=f"without a request: {_WHOLE_MINUTES}")
    absolute_minutes: _Minutes = Field(720, description=f"at the longest: {_WHOLE_MINUTES}")


class RetentionSettings(_Section):
    """How long a person's data is kept, by category of data subject (Directive 2016/680, art. 5
    and 6); what an authority's own law says goes here."""

    trader: _Days = Field(3650, description=_WHOLE_DAYS)
    declarant: _Days = Field(3650, description=_WHOLE_DAYS)
    suspect: _Days = Field(1825, description=_WHOLE_DAYS)
    convicted: _Days = Field(3650, description=_WHOLE_DAYS)
    victim: _Days = Field(730, description=_WHOLE_DAYS)
    witness: _Days = Field(730, description=_WHOLE_DAYS)
    minor: _Days = Field(730, description=_WHOLE_DAYS)
    contact: _Days = Field(365, description=_WHOLE_DAYS)
    officer: _Days = Field(3650, description=_WHOLE_DAYS)
    unclassified: _Days = Field(30, description=f"until somebody classifies it: {_WHOLE_DAYS}")


class TargetingSettings(_Section):
    """What the selection for inspection may not go below, and its clocks."""

    random_floor: float = Field(
        0.05, ge=0.01, le=1.0, description="least share drawn at random, from 0.01 to 1"
    )
    hold_minutes: _Minutes = Field(
        2880, description=f"until a hold nobody prolongs expires: {_WHOLE_MINUTES}"
    )
    decision_minutes: _Minutes = Field(
        240, description=f"for a person to confirm or refuse a proposed hold: {_WHOLE_MINUTES}"
    )


class PartnerSettings(_Section):
    """The clocks of what is done together with partners, where no clause says otherwise."""

    acknowledge_urgent_minutes: _Minutes = Field(
        60, description=f"to acknowledge an urgent request: {_WHOLE_MINUTES}"
    )
    acknowledge_minutes: _Minutes = Field(
        1440, description=f"to acknowledge any other request: {_WHOLE_MINUTES}"
    )
    written_minutes: _Minutes = Field(
        1440, description=f"to confirm an oral request in writing: {_WHOLE_MINUTES}"
    )
    feedback_days: _Days = Field(14, description=f"to say what became of an answer: {_WHOLE_DAYS}")
    notice_minutes: _Minutes = Field(
        1440, description=f"to tell partners of a seizure: {_WHOLE_MINUTES}"
    )
    guard_days: _Days = Field(
        14,
        description="a box in a chain is guarded against a second opening so long after it "
        f"arrived: {_WHOLE_DAYS}",
    )
    guard_unknown_days: _Days = Field(
        30, description=f"and so long after the deadline where no voyage is known: {_WHOLE_DAYS}"
    )


class WorkerSettings(_Section):
    """The work that follows a commit."""

    threads: int = Field(2, ge=1, le=64, description="jobs run side by side, from 1 to 64")


class LimitSettings(_Section):
    """Largest document of each format; a larger one is refused before it is stored."""

    cuscar: _Bytes = Field(256 << 20, description=_WHOLE_BYTES)
    wco: _Bytes = Field(32 << 20, description=_WHOLE_BYTES)
    tabular: _Bytes = Field(512 << 20, description=_WHOLE_BYTES)
    json_: _Bytes = Field(64 << 20, alias="json", description=_WHOLE_BYTES)
    events: _Bytes = Field(512 << 20, description=_WHOLE_BYTES)
    unsupported: _Bytes = Field(16 << 20, description=_WHOLE_BYTES)

    def of(self, code: str) -> int:
        """Return the limit in bytes of a document format, by its code."""
        return int(getattr(self, "json_" if code == "json" else code))


class Settings(_Section):
    """All settings of a node; see ``node.toml``."""

    node: NodeSettings
    agency: AgencySettings
    database: DatabaseSettings = DatabaseSettings(url="")
    listen: ListenSettings = ListenSettings(host="127.0.0.1", port=8440)
    session: SessionSettings = SessionSettings(idle_minutes=30, absolute_minutes=720)
    retention: RetentionSettings = RetentionSettings()
    targeting: TargetingSettings = TargetingSettings()
    partners: PartnerSettings = PartnerSettings()
    worker: WorkerSettings = WorkerSettings(threads=2)
    limits: LimitSettings = LimitSettings()


def read(text: str, file: str = "node.toml", environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from TOML; raises ``Invalid`` with one line for each key that is wrong."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("settings_invalid", f"{file} is not TOML: {error}") from None
    override = (environ or {}).get(DATABASE_URL)
    if override and isinstance(raw.setdefault("database", {}), dict):
        raw["database"]["url"] = override
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        lines = [_line(file, item) for item in error.errors()]
        raise Invalid("settings_invalid", "\n".join(lines)) from None
    _check_url(settings.database.url, DATABASE_URL if override else f"{file}: database.url")
    _check_zone(settings.node.zone, file)
    if settings.session.absolute_minutes < settings.session.idle_minutes:
        raise Invalid(
            "settings_invalid",
            f"{file}: session.absolute_minutes = {settings.session.absolute_minutes}: "
            f"allowed: at least session.idle_minutes ({settings.session.idle_minutes})",
        )
    return settings


def _line(file: str, error: Any) -> str:
    place = [str(part) for part in error["loc"]]
    key = ".".join(place)
    allowed = _allowed(Settings, place)
    if error["type"] == "missing":
        return f"{file}: {key} is missing: allowed: {allowed}"
    if error["type"] == "extra_forbidden":
        known = ", ".join(_keys(Settings, place[:-1]))
        return f"{file}: {key} is not a setting: allowed: {known}"
    return f"{file}: {key} = {error['input']!r}: allowed: {allowed}"


def _section(model: type[BaseModel], place: list[str]) -> type[BaseModel]:
    for part in place:
        kind = model.model_fields[part].annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            model = kind
    return model


def _keys(model: type[BaseModel], place: list[str]) -> list[str]:
    section = _section(model, place)
    return [field.alias or name for name, field in section.model_fields.items()]


def _allowed(model: type[BaseModel], place: list[str]) -> str:
    *above, last = place
    for name, field in _section(model, above).model_fields.items():
        if last == (field.alias or name):
            return field.description or f"a section with {', '.join(_keys(model, place))}"
    return f"one of {', '.join(_keys(model, above))}"


def _check_url(url: str, where: str) -> None:
    allowed = "allowed: empty, sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
    if not url:
        return
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError:
        raise Invalid("settings_invalid", f"{where}: not a URL: {allowed}") from None
    if backend not in ("sqlite", "postgresql"):
        raise Invalid("settings_invalid", f"{where}: {backend} is not known: {allowed}")


def _check_zone(zone: str, file: str) -> None:
    from babel.dates import get_timezone

    try:
        get_timezone(zone)
    except LookupError:
        raise Invalid(
            "settings_invalid",
            f"{file}: node.zone = {zone!r}: allowed: a name of the IANA list, as America/Panama",
        ) from None


def write(settings: Settings) -> str:
    """Write settings as TOML with a comment above each key."""
    lines = ["# The settings of this node, read and checked at its start."]
    for name, field in Settings.model_fields.items():
        section = getattr(settings, name)
        lines += ["", f"[{name}]", f"# {_first(field.annotation)}"]
        for key, entry in type(section).model_fields.items():
            lines.append(f"# {entry.description}")
            lines.append(f"{entry.alias or key} = {_toml(getattr(section, key))}")
    return "\n".join(lines) + "\n"


def _first(kind: Any) -> str:
    return " ".join((kind.__doc__ or "").split())


def _toml(value: str | int | float) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped) + '"'
    return repr(value)


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """The folder of one node."""

    root: Path

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.root / "node.toml"

    @property
    def key_file(self) -> Path:
        """The node's secrets."""
        return self.root / "keys" / "node.key"

    @property
    def database_file(self) -> Path:
        """The SQLite database, when the settings name no other."""
        return self.root / "isthmus.db"

    @property
    def audit_head(self) -> Path:
        """The head of the audit's chain, noted apart from the database."""
        return self.root / "audit.head"

    @property
    def erasures(self) -> Path:
        """The journal of lawful erasures."""
        return self.root / "erasures.jsonl"

    @property
    def temporary(self) -> Path:
        """Drafts of what is being received."""
        return self.root / "tmp"

    @staticmethod
    def create(root: Path, settings: Settings) -> "NodeFolder":
        """Make a new node's folder with fresh keys; raises ``Conflict`` when it is not empty."""
        folder = NodeFolder.bare(root)
        folder.key_file.parent.mkdir(mode=0o700)
        KeyRing.generate().save(folder.key_file)
        folder.write_config(settings)
        for made in (folder.key_file.parent, root, root.parent):
            sync_folder(made)
        return folder

    @staticmethod
    def bare(root: Path) -> "NodeFolder":
        """Make an empty folder for a node, 0700; ``Conflict`` when something is in it."""
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise Conflict("folder_not_empty", "the node's folder is not empty", folder=str(root))
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
        folder = NodeFolder(root)
        folder.temporary.mkdir(mode=0o700)
        return folder

    @staticmethod
    def open(root: Path) -> "NodeFolder":
        """Open an existing node's folder; raises ``Invalid`` when there is none."""
        folder = NodeFolder(root)
        if not folder.config.is_file():
            raise Invalid("folder_missing", "no node here: node.toml is missing", folder=str(root))
        folder.temporary.mkdir(mode=0o700, exist_ok=True)
        return folder

    def settings(self, environ: Mapping[str, str] | None = None) -> Settings:
        """Read and check the settings; the environment (``os.environ`` if none) may override."""
        text = self.config.read_text(encoding="utf-8")
        return read(text, str(self.config), os.environ if environ is None else environ)

    def write_config(self, settings: Settings) -> None:
        """Write ``node.toml``, durably."""
        handle = os.open(self.config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(write(settings))
            file.flush()
            os.fsync(file.fileno())

    def keys(self) -> KeyRing:
        """Read the node's secrets; raises ``Invalid`` when they are missing or not whole."""
        return KeyRing.load(self.key_file)

    def database_url(self, settings: Settings) -> str:
        """Return the database's URL: the one set, else the file in this folder."""
        return settings.database.url or f"sqlite:///{self.database_file.resolve()}"


def sync_folder(path: Path) -> None:
    """Put a folder's own entries on the disk, so that a file made in it survives a crash."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
