"""The syntax reader: what pydifact reads, in any chunks, with every malformed segment in place."""

import random
import tracemalloc
from io import BytesIO, RawIOBase

import pytest
from cuscar_samples import SEPARATORS, manifests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydifact.parser import Parser

from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.formats.edifact import Malformed, Segment, Separators, advised, segments
from isthmus.kernel.errors import Invalid

# pydifact warns that it does not hold the directories against which it would check.
pytestmark = pytest.mark.filterwarnings("ignore:segments.xml not found")

UNB = b"UNB+UNOC:3+A+B+260101:0000+1'"


def read(content: bytes, **options):
    return list(segments(BytesIO(content), **options))


def ours(content: bytes):
    """Our segments in the shape that pydifact gives them."""
    return [
        (s.tag, [list(e) if isinstance(e, tuple) else e for e in s.elements]) for s in read(content)
    ]


def theirs(content: bytes, codec: str):
    found = Parser().parse(content.decode(codec))
    return [(s.tag, list(s.elements)) for s in found if s.tag != "UNA"]


def built(parts, marks: Separators) -> bytes:
    """Write segments of any elements, with the blanks that senders put between segments."""
    text = marks.advice()
    for tag, elements, blanks in parts:
        written = [marks.component.join(map(marks.escape, element)) for element in elements]
        text += marks.element.join([tag, *written]) + marks.terminator + blanks
    return text.encode("utf-8")


# Without line breaks: pydifact refuses a newline after a release character.
COMPONENTS = st.text("AZaz09 '+:?|^~\\\x1c\x1d\x1f,.ñé€界", max_size=8)
PARTS = st.lists(
    st.tuples(
        st.sampled_from(["BGM", "NAD", "FTX", "LOC", "C01"]),
        st.lists(st.lists(COMPONENTS, min_size=1, max_size=4), min_size=1, max_size=5),
        st.sampled_from(["", "", "\r\n", "\n", " \r\n"]),
    ),
    max_size=8,
)
ORACLE_UNB = ("UNB", [["UNOY", "4"], ["A"], ["B"], ["260101", "0000"], ["1"]], "")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests(), st.sampled_from(["D.95B", "D.11A"]), st.booleans(), SEPARATORS)
def test_every_generated_manifest_has_the_segments_of_pydifact(sample, profile, wide, separators):
    content = write_cuscar(
        *sample,
        profile=profile,
        sender="MAEU",
        recipient="PACUSTOMS",
        control_reference="REF1",
        character_set="UNOY" if wide else "UNOC",
        separators=separators,
    )
    assert ours(content) == theirs(content, "utf-8" if wide else "iso8859-1")


@settings(max_examples=250, deadline=None)
@given(PARTS, SEPARATORS)
@example([("NAD", [["", ""], ["A", "", ""], ["", "", "?"]], "")], Separators())
@example([("FTX", [["??'"], ["'?"]], "\r\n")], Separators())
def test_any_segments_are_those_of_pydifact(parts, separators):
    content = built([ORACLE_UNB, *parts], separators)
    if b"'UNA" not in content:  # which pydifact takes for service advice wherever it stands
        assert ours(content) == theirs(content, "utf-8")


@settings(max_examples=150, deadline=None)
@given(PARTS, SEPARATORS, st.integers(1, 40), st.integers(0, 30))
def test_the_size_of_chunks_changes_nothing(parts, separators, chunk, cut):
    content = built([ORACLE_UNB, *parts, ("UNZ", [["1"], ["1"]], "\n")], separators)
    content = content * 2 + content[:cut]
    options = {"longest": 30}
    assert read(content, chunk=chunk, **options) == read(content, chunk=1 << 20, **options)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 20))
def test_any_bytes_give_an_outcome(noise, chunk):
    found = read(noise, chunk=chunk, longest=40)
    assert found == read(noise, chunk=1000, longest=40)
    assert [item.ordinal for item in found] == list(range(1, len(found) + 1))
    offsets = [item.offset for item in found]
    assert offsets == sorted(set(offsets))
    assert all(0 <= offset < len(noise) for offset in offsets)


def test_ordinal_and_offset_say_where_a_segment_stands():
    content = b"UNA:+.? '\r\n" + UNB + b"\r\nBGM+85+X'\n\nUNZ+0+1'"
    found = read(content)
    assert [(s.tag, s.ordinal) for s in found] == [("UNB", 1), ("BGM", 2), ("UNZ", 3)]
    assert all(content[s.offset :].startswith(s.tag.encode()) for s in found)


def test_elements_and_components():
    (segment,) = read(b"NAD+CN+ID:172:20++A?+B:C+X::+++'")
    assert segment.elements == ("CN", ("ID", "172", "20"), "", ("A+B", "C"), "X", "", "", "")
    assert segment.at(1, 2) == "20"
    assert segment.at(0, 0) == "CN"
    assert segment.at(0, 1) == segment.at(9) == segment.at(1, 9) == ""
    assert segment.composite(3) == ("A+B", "C")
    assert segment.composite(0) == ("CN",)
    assert segment.composite(42) == ()


@pytest.mark.parametrize(
    ("character_set", "codec"),
    [("UNOC", "iso8859-1"), ("UNOE", "iso8859-5"), ("UNOY", "utf-8"), ("UNOW", "utf-8")],
)
def test_text_is_read_by_the_character_set_that_unb_declares(character_set, codec):
    word = "Москва" if codec == "iso8859-5" else "Colón"
    content = f"UNB+{character_set}:3+A+B'NAD+CN+{word}'".encode(codec)
    assert read(content)[1] == Segment("NAD", ("CN", word), 2, 15)


@pytest.mark.parametrize("codec", ["utf-8", "iso8859-1"])
def test_characters_outside_a_declared_ascii_are_read_and_told(codec):
    content = "UNB+UNOA:3+A+B'NAD+CN+Colón'NAD+CZ+Colon'".encode(codec)
    _, accented, plain = read(content)
    assert (accented.at(1), accented.undeclared) == ("Colón", True)
    assert (plain.at(1), plain.undeclared) == ("Colon", False)


def test_bytes_that_are_not_utf8_are_malformed_and_reading_goes_on():
    found = read(b"UNB+UNOY:4+A+B'NAD+CN+Col\xf3n'BGM+85'")
    assert found[1][:3] == (2, 15, "encoding")
    assert found[2].tag == "BGM"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "segment_malformed"),
        (b"bgm+1", "segment_malformed"),
        (b"BG+1", "segment_malformed"),
        (b"B:M+1", "segment_malformed"),
        (b"??BG+1", "segment_malformed"),
        (b"+1", "segment_malformed"),
        (b"\x00\x01\x02", "segment_malformed"),
        (b"FTX+" + b"A" * 20_000, "too_large"),
    ],
)
def test_a_malformed_segment_is_told_by_position_and_the_next_is_read(bad, reason):
    start = len(UNB)
    found = read(UNB + bad + b"'LOC+9+PAMIT'")
    assert isinstance(found[1], Malformed)
    assert found[1][:3] == (2, start, reason)
    assert found[2] == Segment("LOC", ("9", "PAMIT"), 3, start + len(bad) + 1)


def test_a_released_terminator_does_not_end_a_segment_that_is_too_long():
    long = b"FTX+" + b"A?'" * 10_000
    for chunk in (101, 1000, 1 << 20):
        found = read(UNB + long + b"'LOC+9'", chunk=chunk)
        assert [item[0] for item in found] == ["UNB", 2, "LOC"]


def test_a_file_cut_inside_a_segment_says_so():
    found = read(UNB + b"LOC+9+PAM")
    assert found[1][:3] == (2, len(UNB), "segment_malformed")
    assert "ends" in found[1].message


def test_blanks_after_the_end_and_a_byte_order_mark_are_no_segments():
    assert [s.tag for s in read(b"\xef\xbb\xbf" + UNB + b"\r\n \r\n")] == ["UNB"]
    assert read(b"") == read(b" \r\n") == []


def test_each_interchange_has_its_own_service_advice():
    content = b"UNA|^.? ~UNB^UNOC|3^A^B~UNZ^0^1~\r\nUNB+UNOC:3+A+B'UNZ+0+1'UNA:*.? 'UNB*UNOC:3*A*B'"
    declared = ("UNOC", "3")
    assert [s.elements[0] for s in read(content)] == [declared, "0", declared, "0", declared]


def test_a_sender_without_release_character():
    content = b"UNA:+.  'UNB+UNOC:3+A+B'FTX+AAA+what?'"
    assert read(content)[1].at(1) == "what?"
    assert advised(b"UNA:+.  '") == Separators(release="")


@pytest.mark.parametrize("head", [b"UNA::.? '", b"UNAA+.? '", b"UNA:+.?", b"UNA:+.? \xe9"])
def test_service_advice_that_cannot_serve(head):
    assert advised(head) is None
    assert isinstance(read(head + b"'")[0], Malformed)


def test_escaping():
    marks = Separators()
    assert marks.escape("a'b+c:d?e") == "a?'b?+c?:d??e"
    assert marks.escape("plain") == "plain"
    with pytest.raises(Invalid):
        Separators(release="").escape("a+b")


class Endless(RawIOBase):
    """A stream of one segment repeated, made as it is read."""

    def __init__(self, segment: bytes, size: int) -> None:
        self.segment = segment
        self.left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = (self.segment * (size // len(self.segment) + 1))[: min(size, self.left)]
        # Shortened to whole segments, so that the stream stays what it says it is.
        block = block[: len(block) // len(self.segment) * len(self.segment)]
        self.left -= len(block)
        return block


@pytest.mark.parametrize("segment", [b"LOC+9+PAMIT?'X:139:6'", b"no terminator at all "])
def test_memory_stays_bounded(segment):
    stream = Endless(segment, 1024 * 1024)
    tracemalloc.start()
    count = sum(1 for _ in segments(stream, chunk=4096))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count >= 1
    assert peak < 128 * 1024


def test_damaged_manifests_never_lose_their_place():
    """Bytes flipped at random: every segment still says truly where it stands."""
    dice = random.Random(7)
    line = b"EQD+CN+MSKU1234565+22G1:102:5+++5'SEL+A?'1+CA'FTX+AAA+++Ni\xf1o'"
    for _ in range(200):
        content = bytearray(UNB + line * 10)
        for _ in range(5):
            content[dice.randrange(len(UNB), len(content))] = dice.choice(b"'+:?\x00\xffA ")
        for item in read(bytes(content)):
            if isinstance(item, Segment):
                assert content[item.offset : item.offset + 3] == item.tag.encode()
