"""Settings: one clear error for each wrong key, and a folder nobody else may look into."""

import csv
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import isthmus.reference
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform import settings
from isthmus.platform.settings import (
    LimitSettings,
    NodeFolder,
    RetentionSettings,
    Settings,
    read,
    write,
)

GOOD = """
[node]
name = "Balboa"
[agency]
code = "ANA"
name = "Customs"
country = "PA"
office = "PTY"
"""


def test_what_is_not_said_has_a_default() -> None:
    found = read(GOOD)
    assert (found.listen.host, found.listen.port) == ("127.0.0.1", 8440)
    assert found.node.locale == "en"
    assert found.targeting.random_floor == 0.05


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (
            "[listen]\nport = 70000",
            "node.toml: listen.port = 70000: allowed: port, a whole number from 1 to 65535",
        ),
        (
            "[targeting]\nrandom_floor = 0.0",
            "node.toml: targeting.random_floor = 0.0: allowed: "
            "least share drawn at random, from 0.01 to 1",
        ),
        (
            "[lisen]\nport = 1",
            "node.toml: lisen is not a setting: allowed: node, agency, database, listen, session, "
            "retention, targeting, partners, worker, limits",
        ),
        (
            "[worker]\nthread = 3",
            "node.toml: worker.thread is not a setting: allowed: threads",
        ),
        (
            '[worker]\nthreads = "2"',
            "node.toml: worker.threads = '2': allowed: jobs run side by side, from 1 to 64",
        ),
        (
            "[session]\nidle_minutes = 60\nabsolute_minutes = 30",
            "node.toml: session.absolute_minutes = 30: allowed: at least session.idle_minutes (60)",
        ),
        (
            '[database]\nurl = "mysql://x/y"',
            "node.toml: database.url: mysql is not known: allowed: empty, sqlite:///FILE or "
            "postgresql+psycopg://USER@HOST/NAME",
        ),
        (
            '[database]\nurl = "no url"',
            "node.toml: database.url: not a URL: allowed: empty, sqlite:///FILE or "
            "postgresql+psycopg://USER@HOST/NAME",
        ),
        (
            "[limits]\njson = 3",
            "node.toml: limits.json = 3: allowed: bytes, a whole number from 1024 to 1099511627776",
        ),
    ],
)
def test_a_wrong_key_is_named_with_what_is_allowed(more: str, line: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(GOOD + more)
    assert caught.value.message == line


def test_every_wrong_key_has_a_line_of_its_own() -> None:
    with pytest.raises(Invalid) as caught:
        read("[node]\nname = ''\n[agency]\ncode = 'a b'\nname = 'x'\ncountry = 'Panama'\n")
    lines = caught.value.message.splitlines()
    assert [line.split(":")[1].split()[0] for line in lines] == [
        "node.name",
        "agency.code",
        "agency.country",
        "agency.office",
    ]


def test_what_is_not_toml_is_said_with_its_place() -> None:
    with pytest.raises(Invalid, match=r"node\.toml is not TOML: .*line 2"):
        read("[node]\nname = what\n")


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Invalid, match=r"node\.zone = 'America/Atlantis'"):
        read(GOOD.replace('"Balboa"', '"Balboa"\nzone = "America/Atlantis"'))


def test_the_environment_overrides_the_database() -> None:
    environment = {settings.DATABASE_URL: "postgresql+psycopg://me@127.0.0.1/isthmus"}
    assert read(GOOD, environ=environment).database.url == environment[settings.DATABASE_URL]
    with pytest.raises(Invalid, match=f"^{settings.DATABASE_URL}: mysql"):
        read(GOOD, environ={settings.DATABASE_URL: "mysql://x/y"})


def test_categories_and_formats_are_those_of_the_code_lists() -> None:
    data = Path(isthmus.reference.__file__).parent / "data"

    def codes(name: str) -> set[str]:
        with (data / name).open(encoding="utf-8", newline="") as file:
            return {row["code"] for row in csv.DictReader(file)}

    assert set(RetentionSettings.model_fields) == codes("data_subject_categories.csv")
    formats = {field.alias or name for name, field in LimitSettings.model_fields.items()}
    assert formats == codes("document_formats.csv")
    limits = LimitSettings()
    assert all(limits.of(code) >= 1024 for code in formats)


@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120),
    floor=st.floats(0.01, 1.0),
    port=st.integers(1, 65535),
)
def test_what_is_written_is_read_back(name: str, floor: float, port: int) -> None:
    made = Settings.model_validate(
        {
            "node": {"name": name},
            "agency": {"code": "ANA", "name": name, "country": "PA", "office": "PTY"},
            "listen": {"port": port},
            "targeting": {"random_floor": floor},
        }
    )
    assert read(write(made)) == made


def test_a_new_folder_is_private_and_opens(tmp_path: Path) -> None:
    made = read(GOOD)
    folder = NodeFolder.create(tmp_path / "node", made)
    for path in (folder.root, folder.key_file.parent, folder.temporary):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (folder.key_file, folder.config):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = NodeFolder.open(tmp_path / "node")
    assert again.settings({}) == made
    assert len(again.keys().audit) == 32
    assert again.database_url(made) == f"sqlite:///{folder.database_file}"
    with pytest.raises(Conflict):
        NodeFolder.create(tmp_path / "node", made)


def test_a_folder_without_a_node_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no node here"):
        NodeFolder.open(tmp_path)


def test_keys_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    folder = NodeFolder.create(tmp_path / "node", read(GOOD))
    raw = folder.key_file.read_bytes()
    for wrong in (raw[:-20], raw.replace(b'":"', b'":"00', 1), b"[]", b""):
        folder.key_file.write_bytes(wrong)
        with pytest.raises(Invalid):
            folder.keys()
    folder.key_file.unlink()
    with pytest.raises(Invalid, match="missing"):
        folder.keys()
