"""Writing a declaration, its amendment or its cancellation as a WCO Data Model message.

The reverse of ``isthmus.cargo.formats.wco``: what is written here is read there as the same
record. For sample traffic and for systems that take the WCO form. Not written, for want of an
element in the message: the kind and history of a seal, masses and temperature of a container, and
``extra``.
"""

from datetime import UTC, datetime
from decimal import Decimal

from lxml import etree

from isthmus.cargo.formats.wco import REQUEST, REQUESTS
from isthmus.cargo.formats.wco_pointer import pointer_steps
from isthmus.cargo.formats.wco_shipment import IMO_SHIP, PARTY_ELEMENTS
from isthmus.cargo.model import Container, Declaration, Function, GoodsItem, Party, Regime
from isthmus.kernel.errors import Invalid
from isthmus.kernel.money import Money

_METADATA = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"
_DECLARATION = "urn:wco:datamodel:WCO:DEC-DMS:2"
_DATES = "urn:wco:datamodel:WCO:Declaration_DS:DMS:2"
_VERSION = "3.6"

_ELEMENT_OF_ROLE = {role: name for name, role in PARTY_ELEMENTS.items()}
_HEADER_PARTIES = ("Declarant", "Agent", "Exporter")
_TARIFF_DIGITS = 10  # eight of the tariff code, and two that follow it

Node = etree._Element


def write_wco(declaration: Declaration) -> bytes:
    """Write a declaration as a UTF-8 document with its ``MetaData``.

    An original that is kept by the declarant's own reference is written without an ``ID``, since
    customs gives that. Raises ``Invalid`` for a record that the message cannot say: a role that
    the WCO Data Model lacks, a change without its parent, characters that XML forbids.
    """
    metadata = etree.Element(f"{{{_METADATA}}}MetaData", nsmap={"md": _METADATA})
    for name, text in (("WCODataModelVersionCode", _VERSION), ("WCOTypeName", "DEC")):
        etree.SubElement(metadata, f"{{{_METADATA}}}{name}").text = text
    root = etree.SubElement(
        metadata,
        f"{{{_DECLARATION}}}Declaration",
        nsmap={None: _DECLARATION, "p1": _DATES},  # type: ignore[dict-item]  # None is the default
    )
    try:
        _header(root, declaration)
        _amendments(root, declaration)
        _transport(root, declaration)
        _parties(root, declaration)
        _shipment(root, declaration)
    except ValueError as error:  # lxml refuses what XML cannot hold
        raise Invalid(
            "value_impossible", "a text holds a character that XML forbids", value=str(error)
        ) from None
    return etree.tostring(metadata, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add(parent: Node, name: str, value: object = None, **attributes: str) -> Node:
    """Add an element; with a value of None and no attributes it is a class to be filled."""
    node = etree.SubElement(parent, f"{{{_DECLARATION}}}{name}")
    for key, text in attributes.items():
        node.set(key, text)
    if isinstance(value, Decimal):
        node.text = format(value, "f")
    elif value is not None:
        node.text = str(value)
    return node


def _class(parent: Node, name: str) -> Node:
    """The class of this name in its parent, made when it is missing."""
    found = parent.find(f"{{{_DECLARATION}}}{name}")
    return found if found is not None else _add(parent, name)


def _put(parent: Node, path: str, value: object, **attributes: str) -> None:
    """Add a value at a path of classes, making those that are missing; nothing for None."""
    if value is None:
        return
    *classes, name = path.split("/")
    for step in classes:
        parent = _class(parent, step)
    if isinstance(value, Money):
        _add(parent, name, value.amount, currencyID=value.currency)
    else:
        _add(parent, name, value, **attributes)


def _moment(parent: Node, name: str, moment: datetime | None) -> None:
    if moment is None:
        return
    text = etree.SubElement(_add(parent, name), f"{{{_DATES}}}DateTimeString", formatCode="304")
    text.text = moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")


def _header(root: Node, declaration: Declaration) -> None:
    _moment(root, "AcceptanceDateTime", declaration.accepted_at)
    _put(root, "FunctionCode", _function_code(declaration))
    _put(root, "FunctionalReferenceID", declaration.local_reference)
    if declaration.function is not Function.ORIGINAL:
        if declaration.parent_reference is None:
            raise Invalid(
                "value_missing",
                "a change or cancellation names the declaration it acts on",
                field="parent_reference",
                reference=declaration.reference,
            )
        _put(root, "ID", declaration.parent_reference)
    elif declaration.reference != declaration.local_reference:
        _put(root, "ID", declaration.reference)
    _moment(root, "IssueDateTime", declaration.lodged_at)
    _put(root, "TypeCode", declaration.type_code)
    if declaration.function is Function.ORIGINAL:
        _put(root, "GoodsItemQuantity", len(declaration.goods))
    _put(root, "DeclarationOfficeID", declaration.office)
    _put(root, "InvoiceAmount", declaration.invoice)
    _put(root, "TotalGrossMassMeasure", declaration.gross_kg, unitCode="KGM")
    _put(root, "TotalPackageQuantity", declaration.packages)
    _put(root, "DutyTaxFee/Payment/MethodCode", declaration.payment)


def _function_code(declaration: Declaration) -> str:
    if declaration.function is Function.ORIGINAL:
        return "9"
    if REQUESTS.get(declaration.type_code or "") is declaration.function:
        return REQUEST
    return "4" if declaration.function is Function.CHANGE else "1"


def _amendments(root: Node, declaration: Declaration) -> None:
    """Write one amendment for each path and reason, the first reason with the first path."""
    reasons = declaration.reason.split("; ") if declaration.reason else []
    paths = declaration.amended_fields
    coded: list[str] = []
    for order in range(max(len(paths), len(reasons))):
        code, said = _reason(reasons[order]) if order < len(reasons) else ("", "")
        coded.append(code)
        if said:
            statement = _add(root, "AdditionalInformation")
            _add(statement, "StatementDescription", said)
            _add(statement, "StatementTypeCode", "AES")
            for sequence, section in (("1", "42A"), (str(order + 1), "06A")):
                _pointer(statement, section, sequence, None)
    for order, code in enumerate(coded):
        amendment = _add(root, "Amendment")
        _put(amendment, "ChangeReasonCode", code or None)
        for section, step, tag in pointer_steps(paths[order]) if order < len(paths) else ():
            _pointer(amendment, section, step, tag)


def _reason(text: str) -> tuple[str, str]:
    """A reason as the reader writes it: a code, words, or ``code: words``."""
    code, colon, said = text.partition(": ")
    if code.isalnum() and code.isupper() | code.isdigit() and len(code) <= 3:
        return code, said
    return "", f"{code}{colon}{said}"


def _pointer(parent: Node, section: str, sequence: str | None, tag: str | None) -> None:
    pointer = _add(parent, "Pointer")
    _put(pointer, "SequenceNumeric", sequence)
    _put(pointer, "DocumentSectionCode", section)
    _put(pointer, "TagID", tag)


def _transport(root: Node, declaration: Declaration) -> None:
    _put(root, "BorderTransportMeans/ID", declaration.conveyance)
    _put(root, "BorderTransportMeans/ModeCode", declaration.mode)


def _parties(root: Node, declaration: Declaration) -> None:
    for party in declaration.parties:
        name = _ELEMENT_OF_ROLE.get(party.role)
        if name is None:
            raise Invalid(
                "value_impossible",
                "the WCO Data Model has no party of this role",
                field="parties",
                value=party.role.value,
            )
        if name in _HEADER_PARTIES:
            _party(_add(root, name), party)
    for party in declaration.parties:
        name = _ELEMENT_OF_ROLE[party.role]
        if name not in _HEADER_PARTIES:
            _party(_add(_class(root, "GoodsShipment"), name), party)


def _party(node: Node, party: Party) -> None:
    _put(node, "Name", party.name)
    _put(node, "ID", party.identifier)
    _put(node, "Address/CityName", party.city)
    _put(node, "Address/CountryCode", party.country)
    for line in party.address:
        _put(node, "Address/Line", line)
    _put(node, "Address/PostcodeID", party.postcode)
    for contact in party.contact:
        _add(_add(node, "Communication"), "ID", contact)


def _shipment(root: Node, declaration: Declaration) -> None:
    shipment = _class(root, "GoodsShipment")
    if declaration.vessel_imo is not None:
        leaving = declaration.regime in {Regime.EXPORT, Regime.FREE_ZONE_OUT}
        means = "DepartureTransportMeans" if leaving else "ArrivalTransportMeans"
        _put(shipment, f"Consignment/{means}/ID", declaration.vessel_imo)
        _put(shipment, f"Consignment/{means}/IdentificationTypeCode", IMO_SHIP)
    _put(shipment, "Consignment/GoodsLocation/Name", declaration.goods_location)
    _put(shipment, "Consignment/LoadingLocation/ID", declaration.place_loading)
    for bill in declaration.bills:
        _add(_add(_class(shipment, "Consignment"), "TransportContractDocument"), "ID", bill)
    for sequence, container in enumerate(declaration.containers, 1):
        _container(shipment, sequence, container)
    _put(shipment, "Consignment/UnloadingLocation/ID", declaration.place_discharge)
    _put(shipment, "CustomsValuation/FreightChargeAmount", declaration.freight)
    _put(shipment, "Destination/CountryCode", declaration.destination_country)
    _put(shipment, "ExportCountry/ID", declaration.dispatch_country)
    for item in declaration.goods:
        _goods_item(_add(shipment, "GovernmentAgencyGoodsItem"), item)
    if len(shipment) == 0:
        root.remove(shipment)


def _container(shipment: Node, sequence: int, container: Container) -> None:
    node = _add(_class(shipment, "Consignment"), "TransportEquipment")
    _put(node, "SequenceNumeric", sequence)
    _put(node, "CharacteristicCode", container.size_type)
    if container.empty is not None:
        _put(node, "FullnessCode", "4" if container.empty else "5")
    _put(node, "ID", container.number)
    for number, seal in enumerate(container.seals, 1):
        element = _add(node, "Seal")
        _put(element, "SequenceNumeric", number)
        _put(element, "ID", seal.number)


def _goods_item(node: Node, item: GoodsItem) -> None:
    _put(node, "SequenceNumeric", item.number)
    _put(node, "CustomsValueAmount", item.customs_value)
    _commodity(node, item)
    if item.procedure is not None:
        split = 2 if len(item.procedure) == 4 else len(item.procedure)
        _put(node, "GovernmentProcedure/CurrentCode", item.procedure[:split])
        _put(node, "GovernmentProcedure/PreviousCode", item.procedure[split:] or None)
    _put(node, "Origin/CountryCode", item.origin)
    for sequence, packages in enumerate(item.packages, 1):
        element = _add(node, "Packaging")
        _put(element, "SequenceNumeric", sequence)
        _put(element, "MarksNumbersID", item.marks if sequence == 1 else None)
        _put(element, "QuantityQuantity", packages.count)
        _put(element, "TypeCode", packages.kind)
    if item.marks is not None and not item.packages:
        _put(node, "Packaging/MarksNumbersID", item.marks)


def _commodity(node: Node, item: GoodsItem) -> None:
    if item.description is not None:
        language = {"languageID": item.language} if item.language is not None else {}
        _add(_add(node, "Commodity"), "Description", item.description, **language)
    split = 8 if item.hs is not None and len(item.hs) == _TARIFF_DIGITS else None
    for digits, kind in (
        (item.hs[:split] if item.hs else None, "TSP"),
        (item.hs[split:] if item.hs and split else None, "TRC"),
    ):
        if digits is not None:
            classification = _add(_class(node, "Commodity"), "Classification")
            _add(classification, "ID", digits)
            _add(classification, "IdentificationTypeCode", kind)
    _put(node, "Commodity/DangerousGoods/UNDGID", item.un_number)
    _put(node, "Commodity/DutyTaxFee/DutyRegimeCode", item.duty_regime)
    _put(node, "Commodity/DutyTaxFee/TaxRateNumeric", item.duty_rate)
    _put(node, "Commodity/GoodsMeasure/GrossMassMeasure", item.gross_kg, unitCode="KGM")
    _put(node, "Commodity/GoodsMeasure/NetNetWeightMeasure", item.net_kg, unitCode="KGM")
    _put(node, "Commodity/InvoiceLine/ItemChargeAmount", item.price)
    for number in item.containers:
        _add(_add(_class(node, "Commodity"), "TransportEquipment"), "ID", number)
