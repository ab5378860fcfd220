"""The files: in order, readable by pyais, the same bytes for the same seed however they are cut."""

import re
from collections import Counter
from datetime import datetime

import numpy as np
import orjson
import pyais

from conftest import DAYS, SEED, START
from isthmus.simulator.ais.acts import SeaKind
from isthmus.simulator.ais.geometry import distance
from isthmus.simulator.ais.vessel import Transceiver
from isthmus.simulator.ais.write import write

EVERY = 23  # of the lines that are decoded one by one


def lines(run):
    for file in sorted((run.folder / "ais").iterdir()):
        yield from file.read_bytes().splitlines()


def when(line):
    return int(re.match(rb"\\s:\w{5},c:(\d{10})\*", line).group(1))


def test_watches_are_files_in_order_of_time(run):
    files = sorted((run.folder / "ais").iterdir())
    names = [f"2026-03-{d:02d}T{h:02d}Z.nmea" for d in (1, 2) for h in range(0, 24, 4)]
    assert [file.name for file in files] == names
    for watch, file in enumerate(files):
        times = [when(line) for line in file.read_bytes().splitlines()]
        assert times == sorted(times)
        assert times[0] >= START.timestamp() + watch * 4 * 3600
        assert times[-1] < START.timestamp() + (watch + 1) * 4 * 3600
    assert sum(file.stat().st_size for file in files) == run.summary.bytes


def test_every_checksum_is_right_and_messages_are_counted(run):
    messages = 0
    for line in lines(run):
        for body in (line[1:].split(b"\\")[0], line.split(b"\\")[2][1:]):
            said, value = body.rsplit(b"*", 1)
            assert np.bitwise_xor.reduce(np.frombuffer(said, np.uint8)) == int(value, 16)
        messages += b"VDM,2,1," not in line
    assert messages == run.summary.messages


def decoded(run):
    """Every message of two sentences, and each so many of the others, with its time."""
    first = None
    for count, line in enumerate(lines(run)):
        sentence = line.split(b"\\")[2]
        if b"VDM,2,1," in sentence:
            first = sentence
        elif b"VDM,2,2," in sentence:
            if count % EVERY < 5:
                yield when(line), pyais.decode(first, sentence)
        elif count % EVERY == 0:
            yield when(line), pyais.decode(sentence)


def test_what_pyais_reads_is_where_and_who_the_vessels_were(run):
    by_mmsi = {}
    for track in run.sea.transmitting:
        by_mmsi.setdefault(track.vessel.mmsi, []).append(track)
    kinds, known, names, lying = Counter(), 0, {}, 0
    for moment, message in decoded(run):
        kinds[message.msg_type] += 1
        tracks = by_mmsi.get(message.mmsi)
        if tracks is None:
            continue  # an MMSI set wrong
        known += 1
        vessel = tracks[0].vessel
        if message.msg_type in (1, 3, 18) and message.lat < 91:
            near = [distance(t.at(moment + 0.5), (message.lat, message.lon)) for t in tracks]
            assert min(near) < 0.05
            assert message.speed <= vessel.speed + 0.1
            assert message.second == moment % 60
        if message.msg_type in (1, 3) and message.status in (1, 5) and message.speed <= 3:
            assert message.msg_type == 3  # intervals of three minutes go by incremental access
            lying += 1
        if message.msg_type == 5:
            names[message.mmsi] = message.shipname == vessel.name
            assert message.imo in (0, int(vessel.imo or 0))
    assert lying > 50
    assert set(kinds) == {1, 3, 5, 18, 24}
    assert known > 0.95 * kinds.total()
    assert sum(names.values()) > 0.85 * len(names)


def test_parts_make_the_same_bytes_and_report_progress(run, tmp_path):
    told = []
    for part in range(2):
        write(
            run.world, run.calls, run.acts, SEED, START, DAYS, tmp_path,
            lambda done, total: told.append((done, total)), part=part, parts=2,
        )  # fmt: skip
    assert told == [(1, 1), (1, 1)]
    for folder in ("ais", "radar"):
        for file in sorted((run.folder / folder).iterdir()):
            assert file.read_bytes() == (tmp_path / folder / file.name).read_bytes()


def plots(run):
    for file in sorted((run.folder / "radar").iterdir()):
        yield from map(orjson.loads, file.read_bytes().splitlines())


def test_radars_see_runs_and_name_no_craft(run):
    seen = list(plots(run))
    assert len(seen) == run.summary.plots
    assert [plot["at"] for plot in seen] == sorted(plot["at"] for plot in seen)
    assert {key for plot in seen for key in plot} == {
        "at", "radar", "track", "latitude", "longitude", "speed", "course",
    }  # fmt: skip
    for kind, often in ((SeaKind.FAST_RUN, 10), (SeaKind.LOW_PROFILE_RUN, 1)):
        act = next(one for one in run.acts if one.kind is kind)
        track = next(t for t in run.sea.silent if t.vessel.id == act.vessel)
        assert track.vessel.ais is Transceiver.NONE
        near = 0
        for plot in seen:
            moment = datetime.fromisoformat(plot["at"]).timestamp()
            place = (plot["latitude"], plot["longitude"])
            near += track.covers(moment) and distance(track.at(moment), place) < 0.5
        assert near >= often, kind
