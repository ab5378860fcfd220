"""One CUSCAR message: its segments in, its consignments, empty containers or manifest out."""

from collections.abc import Iterator

from isthmus.cargo.formats.cuscar_draft import LONGEST_LIST, Draft, Fault, fault
from isthmus.cargo.formats.cuscar_profile import Profile
from isthmus.cargo.formats.cuscar_records import (
    consignment,
    container,
    goods_item,
    manifest,
    named_bill,
)
from isthmus.cargo.formats.edifact import Malformed, Segment
from isthmus.cargo.model import (
    Accepted,
    Consignment,
    Container,
    Flag,
    GoodsItem,
    Manifest,
    Reading,
    Record,
    Regime,
    Rejected,
)

MOST_CONTAINERS = 100_000
"""In one message: four times the largest ship, and a bound on what is held until its end."""

_CONSIGNMENT = frozenset({"consignment", "goods", "leg"})


class Readings:
    """Numbers the readings of a document 1, 2, 3 …"""

    def __init__(self) -> None:
        self.count = 0

    def accept(self, where: str, record: Record, flags: tuple[Flag, ...] = ()) -> Accepted:
        """Return the next reading: a record."""
        self.count += 1
        return Accepted(where, self.count, record, flags)

    def reject(self, found: Fault, more: int = 0) -> Rejected:
        """Return the next reading: a part that goes to quarantine, with its first fault."""
        self.count += 1
        message = found.message + (f"; and {more} more in the same part" if more else "")
        return Rejected(found.position, self.count, found.reason, message, found.field, found.value)


class Message:
    """Reads the segments between UNH and UNT by a profile."""

    def __init__(self, opened: Segment, profile: Profile, readings: Readings) -> None:
        self.profile = profile
        self.readings = readings
        self.scope = "head"
        self.head = Draft(opened)
        self.box: Draft | None = None
        self.parcel: Draft | None = None  # the consignment being read
        self.line: Draft | None = None  # the goods item being read
        self.lines: list[tuple[GoodsItem, Draft]] = []
        self.boxes: dict[str, tuple[Draft, Container | None]] = {}
        self.named: set[str] = set()  # the containers of ``boxes`` that a consignment names
        self.others: set[str] = set()  # equipment that is no container
        self.astray: list[Draft] = []  # equipment groups that ``boxes`` cannot hold
        self.manifest: Manifest | None = None
        self.spoilt: Fault | None = None  # what was malformed since the last CNI or EQD
        self.lost = False  # the head cannot be a manifest: nothing of the message is kept
        self.quiet = True  # nothing was read from it yet

    def feed(self, segment: Segment) -> Iterator[Reading]:
        """Take the next segment; yield what it completes."""
        step = self.profile.steps[self.scope].get(segment.tag)
        if step is None:
            return
        yield from self._leave(step.scope, step.opens)
        self.scope = step.scope
        if step.opens:
            yield from self._open(segment)
        if step.scope in ("consignment", "leg") and segment.tag == "RFF":
            yield from self._document(segment)
        draft = self._draft()
        if draft is not None:
            draft.take(segment, step.rules)

    def spoil(self, item: Malformed) -> Iterator[Reading]:
        """Take a malformed segment: it spoils the part of the message it stands in."""
        part = self.parcel if self.scope == "leg" else self._draft()
        if part is None or part is self.head:
            yield self.readings.reject(fault(item))
        else:
            part.blame(fault(item))
            self.spoilt = fault(item)

    def end(self) -> Iterator[Reading]:
        """Take the end of the message; yield what it completes."""
        yield from self._leave("head", False)
        yield from self._headed()
        if self.lost or self.manifest is None:
            return
        for draft in self.astray:
            yield from self._reject(draft)
        for number, (draft, box) in self.boxes.items():
            if number not in self.named:
                yield from self._unnamed(draft, box)
        if self.quiet:
            flags = tuple(self.head.flags.values())
            yield self.readings.accept(self.head.position, self.manifest, flags)

    def cut(self) -> Iterator[Reading]:
        """Take the end of a message that has no UNT; what was open may be incomplete."""
        yield from self._headed()
        where, what = self.head.position, "the message ends without UNT"
        if self.parcel is not None:
            where = self.parcel.position
            what += f"; its last consignment {named_bill(self.parcel)} may be incomplete"
        yield self.readings.reject(Fault(where, "segment_missing", what, "UNT"))

    def _draft(self) -> Draft | None:
        """The record that segments of the present scope speak of."""
        match self.scope:
            case "equipment":
                return self.box
            case "goods":
                return self.line
            case "consignment":
                return self.parcel
            case "leg":
                return None
        return self.head

    def _leave(self, scope: str, opens: bool) -> Iterator[Reading]:
        """Close what the next segment does not belong to."""
        if self.box is not None and (opens or scope != "equipment"):
            self._keep_box(self.box)
            self.box = None
        if self.line is not None and (opens or scope != "goods"):
            self._keep_line(self.line)
            self.line = None
        if self.parcel is not None and (
            scope not in _CONSIGNMENT or (opens and scope == "consignment")
        ):
            yield from self._close()

    def _open(self, segment: Segment) -> Iterator[Reading]:
        if self.scope != "goods":
            self.spoilt = None
        match self.scope:
            case "equipment":
                if segment.at(0) in self.profile.containers:
                    self.box = Draft(segment)
                else:
                    self.others.add("".join(segment.at(1).split()).upper())
            case "goods":
                self.line = Draft(segment)
            case "consignment":
                yield from self._headed()
                self.parcel = Draft(segment)

    def _headed(self) -> Iterator[Reading]:
        """Make the manifest of the head, once, and report what in it could not be read."""
        if self.manifest is not None or self.lost:
            return
        if self.head.fault is not None:
            yield self.readings.reject(self.head.fault, self.head.faults - 1)
        self.manifest = manifest(self.head)
        if self.manifest is None:
            self.lost = True
            if self.head.fault is None:
                message = "the message has no document number in BGM: no manifest can be named"
                found = Fault(self.head.position, "value_missing", message, "BGM reference")
                yield self.readings.reject(found)

    def _document(self, segment: Segment) -> Iterator[Reading]:
        """A further transport document under one CNI begins a consignment of its own."""
        names = {
            t.field
            for r in self.profile.rules("consignment", "RFF")
            if (t := r.targets.get(segment.at(0)))
        } & {"house", "bill"}
        parcel = self.parcel
        if not names or parcel is None:
            return
        if self.lines or any(parcel.get(name) for name in names):
            number, function = parcel.get("number"), parcel.get("function")
            yield from self._close()
            self.parcel = Draft(segment)
            inherited = {"number": number, "function": function}
            self.parcel.values = {k: v for k, v in inherited.items() if v is not None}
            if self.spoilt is not None:  # perhaps the CNI of this very consignment
                self.parcel.blame(self.spoilt)

    def _keep_box(self, draft: Draft) -> None:
        number = draft.get("number")
        if number is None:
            message = "equipment without its number"
            draft.blame(Fault(draft.position, "value_missing", message, "EQD number"))
        elif number in self.boxes:
            if draft.fault is None and container(draft) == self.boxes[number][1]:
                return  # told again for another bill
            message = "the container is reported twice, and differently"
            draft.blame(Fault(draft.position, "duplicate_identity", message, "EQD number", number))
        elif len(self.boxes) >= MOST_CONTAINERS:
            message = f"more than {MOST_CONTAINERS} containers in one message"
            draft.blame(Fault(draft.position, "too_large", message, "EQD number", number))
        else:
            self.boxes[number] = (draft, None if draft.fault else container(draft))
            return
        if len(self.astray) < LONGEST_LIST:
            self.astray.append(draft)

    def _keep_line(self, draft: Draft) -> None:
        if self.parcel is None:
            return
        if draft.fault is not None:
            self.parcel.blame(draft.fault)
            self.parcel.faults += draft.faults - 1
        if len(self.lines) >= LONGEST_LIST:
            message = f"more than {LONGEST_LIST} goods items in one consignment"
            self.parcel.blame(Fault(draft.position, "too_large", message, "GID"))
            return
        self.lines.append((goods_item(draft, len(self.lines) + 1), draft))
        self.parcel.flags.update(draft.flags)

    def _close(self) -> Iterator[Reading]:
        """Yield the consignment being read, or why it cannot be kept."""
        draft, lines = self.parcel, self.lines
        self.parcel, self.lines = None, []
        if draft is None or self.lost or self.manifest is None:
            return
        self.quiet = False
        boxes = self._boxes_of(draft, lines)
        bill = named_bill(draft)
        if bill is None:
            message = "a consignment without a bill number, in CNI or in RFF"
            draft.blame(Fault(draft.position, "value_missing", message, "bill"))
        if draft.fault is not None or bill is None:
            yield from self._reject(draft)
            return
        record = consignment(
            self.profile,
            self.manifest,
            bill=bill,
            parcel=draft,
            lines=lines,
            boxes=boxes,
            report=self.head,
        )
        yield self.readings.accept(draft.position, record, tuple(draft.flags.values()))

    def _boxes_of(
        self, draft: Draft, lines: list[tuple[GoodsItem, Draft]]
    ) -> list[tuple[Container, Draft | None]]:
        """The containers that a consignment names, each once, as the equipment group tells them."""
        numbers = dict.fromkeys(draft.get("containers") or ())
        for line, _ in lines:
            numbers.update(dict.fromkeys(line.containers))
        found: list[tuple[Container, Draft | None]] = []
        for number in numbers:
            if number in self.others:
                continue
            told, box = self.boxes.get(number, (None, None))
            if told is not None:
                self.named.add(number)
                if told.fault is not None:
                    draft.blame(told.fault)
            elif self.boxes:  # a report without equipment groups lists its containers here alone
                unlisted = Flag("container_unlisted", "containers", number)
                draft.flags.setdefault(unlisted.code, unlisted)
            found.append((box or Container(number), told))
        return found

    def _reject(self, draft: Draft) -> Iterator[Reading]:
        """Yield why a part cannot be kept, if something is wrong with it."""
        self.quiet = False
        if draft.fault is not None:
            yield self.readings.reject(draft.fault, draft.faults - 1)

    def _unnamed(self, draft: Draft, box: Container | None) -> Iterator[Reading]:
        """A container of the equipment group that no consignment names: an empty one, or a gap."""
        self.quiet = False
        if box is None or self.manifest is None:
            yield from self._reject(draft)
        elif not box.empty:
            message = f"container {box.number} is not reported empty, and no consignment names it"
            found = Fault(draft.position, "value_missing", message, "consignment", box.number)
            yield self.readings.reject(found)
        else:
            empty = Consignment(
                manifest=self.manifest,
                bill=f"{self.manifest.reference}/{box.number}",
                function=self.manifest.function,
                regime=Regime.EMPTY,
                containers=(box,),
            )
            flags = tuple(draft.flags.values())
            yield self.readings.accept(draft.position, empty, flags)
