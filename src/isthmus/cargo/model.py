"""The records of the trade, as declared: what a reader yields and what the node keeps in versions.

Names follow the WCO Data Model and UN/EDIFACT. Masses are kilograms, moments are UTC, codes are
kept as declared (upper case, trimmed) even where a code list does not know them: an unknown code
becomes a quality flag, never a silent repair.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from isthmus.kernel.money import Money


class Function(StrEnum):
    """What a message does to the record it names (UN/EDIFACT 1225 / WCO function code)."""

    ORIGINAL = "original"
    CHANGE = "change"
    CANCEL = "cancel"


class Regime(StrEnum):
    """Under which movement the goods stand towards this territory."""

    IMPORT = "import"
    EXPORT = "export"
    TRANSIT = "transit"
    TRANSHIPMENT = "transhipment"
    FREE_ZONE_IN = "free_zone_in"
    FREE_ZONE_OUT = "free_zone_out"
    EMPTY = "empty"
    COASTAL = "coastal"
    UNKNOWN = "unknown"


class PartyRole(StrEnum):
    """In which role a party is declared (code list ``party_roles``)."""

    CONSIGNOR = "consignor"
    CONSIGNEE = "consignee"
    NOTIFY = "notify"
    FORWARDER = "forwarder"
    CARRIER = "carrier"
    DECLARANT = "declarant"
    IMPORTER = "importer"
    EXPORTER = "exporter"
    SELLER = "seller"
    BUYER = "buyer"
    AGENT = "agent"
    COURIER = "courier"


@dataclass(frozen=True, slots=True)
class Party:
    """A party as declared: nothing is resolved or matched here."""

    role: PartyRole
    name: str | None = None
    identifier: str | None = None  # EORI, RUC, tax number … as declared
    address: tuple[str, ...] = ()
    city: str | None = None
    postcode: str | None = None
    country: str | None = None  # of the address; never a nationality
    contact: tuple[str, ...] = ()  # telephone numbers and e-mail addresses as declared


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal on a container. The number has no carrier-prefix noise (spaces, dashes) left."""

    number: str
    kind: str | None = None  # code list seal_kinds
    affixed_by: str | None = None  # code list seal_affixers: carrier, shipper, customs, terminal …
    state: str | None = None  # code list seal_states: intact, broken, missing, replaced …
    removed_by: str | None = None
    removed_why: str | None = None  # code list seal_removals


@dataclass(frozen=True, slots=True)
class Packages:
    """A count of packages of one kind (UN/ECE Recommendation 21)."""

    count: int
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class GoodsItem:
    """One line of goods."""

    number: int
    description: str | None = None
    language: str | None = None
    hs: str | None = None  # digits only, 4 to 10 of them
    gross_kg: Decimal | None = None
    net_kg: Decimal | None = None
    packages: tuple[Packages, ...] = ()
    marks: str | None = None
    un_number: str | None = None  # dangerous goods
    price: Money | None = None
    customs_value: Money | None = None
    origin: str | None = None  # ISO 3166 alpha-2 of the goods
    procedure: str | None = None
    duty_rate: Decimal | None = None  # per cent
    duty_regime: str | None = None
    containers: tuple[str, ...] = ()  # the containers this line is split over, where declared


@dataclass(frozen=True, slots=True)
class Container:
    """A container as declared on a manifest or declaration."""

    number: str  # ISO 6346, upper case, no spaces: as declared even when the check digit fails
    size_type: str | None = None
    empty: bool | None = None
    gross_kg: Decimal | None = None  # cargo as declared for this container
    tare_kg: Decimal | None = None
    vgm_kg: Decimal | None = None  # verified gross mass (SOLAS), box and cargo
    temperature_c: Decimal | None = None  # set point of a reefer
    seals: tuple[Seal, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """The head of a cargo report: one conveyance, one reporter, one port."""

    reference: str  # the reporter's document number; change and cancel name it again
    function: Function
    carrier: str | None = None  # SCAC or the party code of the reporter
    vessel_imo: str | None = None
    vessel_name: str | None = None
    call_sign: str | None = None  # of the ship's radio station, where reported
    voyage: str | None = None
    mode: str | None = None  # UN/ECE Recommendation 19: 1 sea, 2 rail, 3 road, 4 air …
    direction: str | None = None  # arrival | departure
    port: str | None = None  # UN/LOCODE of the port reported to
    arrival_at: datetime | None = None
    departure_at: datetime | None = None
    issued_at: datetime | None = None
    cutoff_at: datetime | None = None  # closing of loading, where reported


@dataclass(frozen=True, slots=True)
class Consignment:
    """A master or house consignment (bill of lading) as one manifest reports it."""

    manifest: Manifest
    bill: str
    master_bill: str | None = None  # set on a house consignment
    function: Function = Function.ORIGINAL
    regime: Regime = Regime.UNKNOWN
    place_origin: str | None = None
    place_loading: str | None = None
    place_transhipment: str | None = None
    place_discharge: str | None = None
    place_delivery: str | None = None
    parties: tuple[Party, ...] = ()
    goods: tuple[GoodsItem, ...] = ()
    containers: tuple[Container, ...] = ()
    freight: Money | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """A goods declaration, or the amendment or cancellation of one."""

    reference: str  # the reference by which this authority keeps it (MRN, else LRN)
    function: Function
    local_reference: str | None = None  # the declarant's own (LRN)
    parent_reference: str | None = None  # for change and cancel: the declaration they act on
    type_code: str | None = None  # as declared, such as IMA, EXD
    regime: Regime = Regime.UNKNOWN
    pre_lodged: bool = False
    supplementary: bool = False  # goods already released: goes to post-release audit
    office: str | None = None
    procedure: str | None = None
    lodged_at: datetime | None = None
    accepted_at: datetime | None = None
    mode: str | None = None
    vessel_imo: str | None = None
    conveyance: str | None = None  # the identification of the means of transport as declared
    dispatch_country: str | None = None
    destination_country: str | None = None
    place_loading: str | None = None
    place_discharge: str | None = None
    goods_location: str | None = None
    bills: tuple[str, ...] = ()  # transport documents named
    payment: str | None = None
    invoice: Money | None = None
    freight: Money | None = None
    gross_kg: Decimal | None = None
    packages: int | None = None
    parties: tuple[Party, ...] = ()
    goods: tuple[GoodsItem, ...] = ()
    containers: tuple[Container, ...] = ()
    amended_fields: tuple[str, ...] = ()  # for a change: the paths it speaks of, where it says so
    reason: str | None = None  # why it is amended or cancelled, as declared
    extra: tuple[tuple[str, str], ...] = ()  # declared fields of a tabular source with no home here


@dataclass(frozen=True, slots=True)
class ContainerEvent:
    """Something that happened to a container, told by a terminal, carrier or port system."""

    event_id: str  # the sender's, unique per sender
    sender: str
    code: str  # DCSA code or a code of the own namespace (code list ``event_codes``)
    container: str
    at: datetime
    planned: bool = False  # a planned or estimated event, not an actual one
    place: str | None = None  # UN/LOCODE
    terminal: str | None = None
    bill: str | None = None
    vessel_imo: str | None = None
    voyage: str | None = None
    empty: bool | None = None
    weight_kg: Decimal | None = None
    seals: tuple[Seal, ...] = ()
    position: str | None = None  # yard position after a move
    mode: str | None = None
    haulier: str | None = None  # identifier of a company
    user: str | None = None  # pseudonymous user of a port system; purpose: release-right watch
    detail: tuple[tuple[str, str], ...] = ()  # further coded fields, as sent


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """A known outcome that came with a tabular source: a label of one objective."""

    objective: str
    positive: bool
    detail: str | None = None


Record = Consignment | Manifest | Declaration | ContainerEvent


@dataclass(frozen=True, slots=True)
class Flag:
    """A data-quality flag: the trade lives with the value, and the analyst must see it."""

    code: str  # code list quality_flags
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A record that a reader made, with where it stood in its document."""

    position: str  # "row 17", "segment 204", "line 3", "declaration 1"
    ordinal: int  # 1, 2, 3 … in the document: reading resumes by it
    record: Record
    flags: tuple[Flag, ...] = ()
    outcomes: tuple[OutcomeRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A part of a document that could not become a record: it goes to quarantine."""

    position: str
    ordinal: int
    reason: str  # code list quarantine_reasons
    message: str  # in plain words, with what and where
    field: str | None = None
    value: str | None = None


Reading = Accepted | Rejected
