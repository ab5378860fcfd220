"""The demonstration end to end, as somebody starts it: its own process, its own folder."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from isthmus.access.model import Role

LOOP = ("received", "accepted", "quarantined", "parked", "duplicates")
PEOPLE = len(Role) - 1  # everybody but a system
SIZE = ("--consignments", "60")


def isthmus(*arguments: object, folder: Path) -> list[str]:
    command = Path(sys.executable).with_name("isthmus")
    return [str(command), "--node", str(folder), *map(str, arguments)]


def run(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        isthmus(*arguments, folder=folder), capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> tuple[Path, dict]:
    """A demonstration run once, and what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "node"
    done = run("demo", "--once", "--json", *SIZE, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_every_record_is_accounted_for(shown):
    _, summary = shown
    received = summary["received"]
    assert received["documents"] == summary["traffic"]["sent_by_now"] > 50
    assert received["received"] == sum(received[name] for name in LOOP[1:])
    assert 0 < received["unsupported"] < received["documents"] / 4  # stowage plans, mirrors
    assert received["quarantined"] <= 3
    assert received["parked"] == 0
    assert received["new_versions"] <= received["accepted"]


def test_the_loop_ran_to_its_end(shown):
    _, summary = shown
    picked, inspected = sum(summary["picked"].values()), sum(summary["inspections"].values())
    assert 0 < inspected < picked
    irregular = sum(
        n for result, n in summary["inspections"].items() if result != "no_irregularity"
    )
    # One consignment may be picked twice: as its box, and as a declaration that names none.
    assert irregular == sum(summary["found"].values()) <= 2 * summary["traffic"]["planted"]
    assert sum(row["known"] for row in summary["coverage"]) > 50
    for row in summary["coverage"]:
        assert row["assessed"] <= row["known"]
    assert summary["learnt"]["contraband"]["outcomes"] == inspected
    assert summary["scored"] >= sum(row["assessed"] for row in summary["coverage"])


def test_a_listed_consignee_in_cyrillic_is_flagged_and_another_was_judged(shown):
    folder, summary = shown
    assert summary["lists"]["entries"] == 4
    assert summary["lists"]["hits_open"] >= 1
    assert summary["lists"]["hits_not_same"] == 1
    line = "ООО ПЕРЕВОЗКИ C/O КОНСТЕЛАСЬОН ФИКТИСИЯ ТРЕЙДЫНГ"
    told = set()
    for locale in ("es", "en", "fr", "nl", "pt"):
        done = run("screen", line, "--json", "--locale", locale, folder=folder)
        (hit,) = json.loads(done.stdout)["queries"][0]["hits"]
        assert (hit["list"], hit["entry"]) == ("csv", "D-1")
        told.add(tuple(reason["text"] for reason in hit["reasons"]))
    assert len(told) == 5


def test_what_signs_people_in_is_its_owners_alone(shown):
    folder, _ = shown
    file = folder / "demo-people.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    people = json.loads(file.read_bytes())
    assert len({person["password"] for person in people}) == len(people) == PEOPLE


def test_codes_are_printed_for_one_or_all(shown):
    folder, _ = shown
    everybody = json.loads(run("demo-code", "--json", folder=folder).stdout)["sign_in"]
    assert len(everybody) == PEOPLE
    assert all(len(person["code"]) == 6 for person in everybody)
    one = run("demo-code", "analyst", folder=folder).stdout
    assert "analyst@demo.example" in one
    assert "supervisor" not in one
    assert run("demo-code", "nobody", folder=folder).returncode == 2


def test_the_audit_of_what_was_shown_holds(shown):
    folder, _ = shown
    assert run("verify", folder=folder).returncode == 0


def test_a_node_in_earnest_is_never_removed(tmp_path):
    folder = tmp_path / "node"
    made = subprocess.run(
        isthmus("init", folder, folder=folder), capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    before = (folder / "node.toml").read_bytes()
    done = run("demo", "--once", *SIZE, folder=folder)
    assert done.returncode == 2
    assert "left alone" in done.stderr
    assert (folder / "node.toml").read_bytes() == before


def test_a_folder_that_is_no_node_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run("demo", "--once", *SIZE, folder=tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_taken_port_is_said_at_once(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("demo", "--port", port, folder=tmp_path / "node")
    assert done.returncode == 2
    assert "port" in done.stderr
    assert not (tmp_path / "node").exists()


def test_files_of_ones_own(tmp_path, shared_data):
    """A few of the real files: the WCO messages that amend what is not there, and 200 rows."""
    data = tmp_path / "data"
    (data / "messages").mkdir(parents=True)
    (data / "declarations").mkdir()
    for file in sorted((shared_data / "messages/wco_declarations").glob("*.xml"))[:8]:
        shutil.copy(file, data / "messages")
    rows = (shared_data / "declarations/korea_test.csv").read_text(encoding="utf-8").splitlines()
    table = data / "declarations/korea_test.csv"
    table.write_text("\n".join(rows[:201]) + "\n", encoding="utf-8")
    (data / "watchlists").mkdir()
    (data / "watchlists" / "not_received.csv").write_text("a,b\n1,2\n")
    done = run("demo", "--once", "--json", "--data", data, folder=tmp_path / "node")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["traffic"]["files"] == 9
    received = summary["received"]
    assert received["received"] == sum(received[name] for name in LOOP[1:])
    assert received["received"] >= 208
    assert summary["objective"] == "revenue"
    assert summary["learnt"]["revenue"]["outcomes"] == 200
    assert summary["model"]["objective"] == "revenue"


def test_it_serves_on_loopback_until_it_is_told_to_stop(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = isthmus("demo", "--port", port, "--json", *SIZE, folder=tmp_path / "node")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            status = _answer(f"http://127.0.0.1:{port}/sign-in", process)
            assert status == 200
        finally:
            process.send_signal(signal.SIGTERM)
            printed, _ = process.communicate(timeout=30)
    summary = json.loads(printed)
    assert summary["address"] == f"http://127.0.0.1:{port}/"
    assert len(summary["sign_in"]) == PEOPLE


def _answer(address: str, process: subprocess.Popen[str]) -> int:
    """Ask until something answers; gives up when the process ends or three minutes have passed."""
    until = time.monotonic() + 180
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.URLError:
            time.sleep(0.2)
    raise AssertionError("the demonstration did not answer")
