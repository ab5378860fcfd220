"""Parties, means of transport, containers and places of a WCO declaration."""

import re

from isthmus.cargo.formats.wco_element import Element
from isthmus.cargo.model import Container, Flag, GoodsItem, Party, PartyRole, Seal
from isthmus.reference.check_digits import (
    container_number_valid,
    container_shape_valid,
    imo_valid,
    normalise_container,
    normalise_imo,
)

PARTY_ELEMENTS = {
    "Declarant": PartyRole.DECLARANT,
    "Agent": PartyRole.AGENT,
    "Exporter": PartyRole.EXPORTER,
    "Importer": PartyRole.IMPORTER,
    "Consignor": PartyRole.CONSIGNOR,
    "Consignee": PartyRole.CONSIGNEE,
    "Buyer": PartyRole.BUYER,
    "Seller": PartyRole.SELLER,
    "NotifyParty": PartyRole.NOTIFY,
    "Carrier": PartyRole.CARRIER,
    "FreightForwarder": PartyRole.FORWARDER,
}
"""The WCO class of a party, and the role it is declared in."""

_PARTY_PLACES = (
    "",
    "Consignment",
    "GoodsShipment",
    "GoodsShipment/Consignment",
    "GoodsShipment/GovernmentAgencyGoodsItem",
)

IMO_SHIP = "10"
"""Identification type of a means of transport: 10 is the IMO number of a ship (UN/EDIFACT and
European code list 219); 11 a ship's name, 30 a road vehicle, 40 a flight, 41 an aircraft."""

# Documents that are a transport document wherever they are named (UN/EDIFACT 1001): waybills and
# bills of lading by sea, rail, road, air, post and multimodal.
_BILL_TYPES = frozenset(
    "703 704 705 710 714 720 722 730 740 741 743 750 760".split()  # noqa: SIM905 - one line
)

_EMPTY = "4"  # UN/EDIFACT 8169: 4 empty, 5 full, 7 and 8 part and full load
_NO_SEALS = "NOSEALS"
_SEAL_NOISE = re.compile(r"[\s\-]+")


def read_parties(root: Element) -> tuple[Party, ...]:
    """Read every party that is named or numbered, once each, header first."""
    parties: dict[Party, None] = {}
    for place in _PARTY_PLACES:
        for name, role in PARTY_ELEMENTS.items():
            for node in root.all(f"{place}/{name}" if place else name):
                party = _party(node, role)
                if party is not None:
                    parties[party] = None
    return tuple(parties)


def _party(node: Element, role: PartyRole) -> Party | None:
    lines = (line.value() for line in node.all("Address/Line"))
    contacts = node.all("Communication/ID") + node.all("Contact/Communication/ID")
    party = Party(
        role=role,
        name=node.read("Name"),
        identifier=node.read("ID"),
        address=tuple(line for line in lines if line),
        city=node.read("Address/CityName"),
        postcode=node.read("Address/PostcodeID"),
        country=node.code("Address/CountryCode"),
        contact=tuple(value for one in contacts if (value := one.value())),
    )
    return party if party != Party(role=role) else None


def read_containers(
    root: Element, goods: tuple[GoodsItem, ...]
) -> tuple[tuple[Container, ...], list[Flag]]:
    """Read the containers with their seals, those that only a goods item names included.

    Sequence number 0 says that the goods are in no container, or that there is no seal (European
    data elements 7/10 and 7/18): what stands beside it is no number.
    """
    containers: dict[str, Container] = {}
    for node in root.all("GoodsShipment/Consignment/TransportEquipment"):
        if node.count("SequenceNumeric") == 0:
            continue
        number = node.read("ID")
        if number is None:
            raise node.missing("ID")
        container = _container(node, normalise_container(number))
        if container.number in containers:
            raise node.fault("duplicate_identity", f"names container {container.number} once more")
        containers[container.number] = container
    listed = frozenset(containers)
    for item in goods:
        for number in item.containers:
            containers.setdefault(number, Container(number=number))
    flags = [flag for number in containers for flag in _number_flags(number)]
    if listed:
        flags += [
            Flag("container_unlisted", "containers", number)
            for number in containers
            if number not in listed
        ]
    if not containers and root.read("GoodsShipment/Consignment/ContainerCode") == "1":
        flags.append(Flag("container_missing", "GoodsShipment/Consignment/ContainerCode", "1"))
    return tuple(containers.values()), flags


def _container(node: Element, number: str) -> Container:
    fullness = node.code("FullnessCode")
    return Container(
        number=number,
        size_type=node.code("CharacteristicCode"),
        empty=None if fullness is None else fullness == _EMPTY,
        seals=tuple(seal for found in node.all("Seal") if (seal := _seal(found)) is not None),
    )


def _seal(node: Element) -> Seal | None:
    found = node.one("ID")
    if found is None or node.count("SequenceNumeric") == 0 or found.text.strip() == _NO_SEALS:
        return None
    number = _SEAL_NOISE.sub("", found.value() or "").upper()
    return Seal(number) if number else None


def _number_flags(number: str) -> list[Flag]:
    if not container_shape_valid(number):
        return [Flag("container_shape", "containers", number)]
    if not container_number_valid(number):
        return [Flag("container_check_digit", "containers", number)]
    return []


def read_transport(root: Element, leaving: bool) -> dict[str, str | None]:
    """Mode, ship and conveyance: the active means at the border before those inland.

    A means identified by its IMO number (type 10) gives ``vessel_imo``; any other identification
    gives ``conveyance``.
    """
    inland = ["ArrivalTransportMeans", "DepartureTransportMeans"]
    if leaving:
        inland.reverse()
    means = root.all("BorderTransportMeans")
    for name in inland:
        means += root.all(f"GoodsShipment/Consignment/{name}")
    found: dict[str, str | None] = {"mode": None, "vessel_imo": None, "conveyance": None}
    for one in means:
        kind = one.one("IdentificationTypeCode")
        field = "conveyance"
        if kind is not None and kind.text.strip() == IMO_SHIP:
            field = "vessel_imo"
        if found[field] is None and (identity := one.read("ID")):
            found[field] = normalise_imo(identity) if field == "vessel_imo" else identity
            if kind is not None and field == "vessel_imo":
                kind.use()
        if found["mode"] is None:
            found["mode"] = one.code("ModeCode")
    return found


def transport_flags(vessel_imo: str | None) -> list[Flag]:
    """Flag an IMO number whose check digit is wrong, or that is none."""
    if vessel_imo is None or imo_valid(vessel_imo):
        return []
    return [Flag("imo_check_digit", "vessel_imo", vessel_imo)]


def read_bills(root: Element) -> tuple[str, ...]:
    """The transport documents named, wherever a declaration may name one."""
    bills: dict[str, None] = {}
    places = ("", "GoodsShipment/", "GoodsShipment/GovernmentAgencyGoodsItem/")
    for place in places:
        for node in root.all(f"{place}Consignment/TransportContractDocument") + root.all(
            f"{place}TransportContractDocument"
        ):
            if bill := node.read("ID"):
                bills[bill] = None
    for place in places:
        for node in root.all(f"{place}PreviousDocument") + root.all(f"{place}AdditionalDocument"):
            kind = node.one("TypeCode")
            named = kind.text.strip().upper().removeprefix("N") if kind is not None else ""
            if named in _BILL_TYPES and (bill := node.read("ID")):
                bills[bill] = None
    return tuple(bills)


def read_place(root: Element, header: str, item: str) -> str | None:
    """A code that stands for the shipment, or alike on every goods item that gives it."""
    code = root.code(f"GoodsShipment/{header}")
    if code is not None:
        return code
    nodes = root.all(f"GoodsShipment/GovernmentAgencyGoodsItem/{item}")
    codes = {node.text.strip().upper() for node in nodes} - {""}
    if len(codes) != 1:
        return None
    for node in nodes:
        node.use()
    return codes.pop()
