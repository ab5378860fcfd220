"""WCO Data Model declarations: goods declarations, their amendments and cancellations.

Which message it is: function code (UN/EDIFACT 1225) 9 original, 4 change, 5 replacement (read as
a change), 1 cancellation, and 13 request, which the type code tells apart: COR amends, INV
invalidates. An amendment carries in its ``ID`` the number that customs gave the declaration it
acts on (the MRN); its own functional reference is independent of that declaration.

Which declaration it is: the first two letters of the type code are the procedure (IM import, EX
export), the third is the additional declaration type of Annex B of Delegated Regulation (EU)
2015/2446 (data element 1/2) and of the British completion instructions: A standard, B and C
simplified; D, E, F the same before the goods arrive, and K the pre-lodged clearance request; U,
V, X, Y, Z supplementary, for goods already released.
"""

from collections.abc import Iterator
from typing import BinaryIO

from isthmus.cargo.formats.source import Format, Source
from isthmus.cargo.formats.wco_document import LIMIT, Captured, declarations, recognise
from isthmus.cargo.formats.wco_element import Element
from isthmus.cargo.formats.wco_goods import goods_flags, read_goods
from isthmus.cargo.formats.wco_pointer import pointed_path
from isthmus.cargo.formats.wco_shipment import (
    read_bills,
    read_containers,
    read_parties,
    read_place,
    read_transport,
    transport_flags,
)
from isthmus.cargo.model import (
    Accepted,
    Declaration,
    Flag,
    Function,
    GoodsItem,
    Reading,
    Regime,
    Rejected,
)
from isthmus.kernel.errors import Invalid

_FUNCTIONS = {
    "1": Function.CANCEL,
    "4": Function.CHANGE,
    "5": Function.CHANGE,
    "9": Function.ORIGINAL,
}
REQUEST = "13"
REQUESTS = {"COR": Function.CHANGE, "INV": Function.CANCEL}
"""What a request (function 13) asks for, by its type code."""

_REGIMES = {
    "IM": Regime.IMPORT,
    "EX": Regime.EXPORT,
    "TR": Regime.TRANSIT,
    "TS": Regime.TRANSHIPMENT,
    "FI": Regime.FREE_ZONE_IN,
    "FO": Regime.FREE_ZONE_OUT,
}
_TRANSIT_TYPES = {"T", "T1", "T2", "T2F", "T2SM", "TIR", "TD"}  # Union and common transit, TIR
_PRE_LODGED = frozenset("DEFK")
_SUPPLEMENTARY = frozenset("UVXYZ")

# Procedure codes of Annex B (data element 1/10): 78 is entry into a free zone, as the requested
# procedure or as the one that ends. 80 is transit in the model procedures of ASYCUDA.
_FREE_ZONE = "78"
_TRANSIT = "80"

# Offices that a declaration may name, the one that handles it first.
_OFFICES = (
    "DeclarationOfficeID",
    "DeclarationOffice/ID",
    "PresentationOffice/ID",
    "EntryOffice/ID",
    "ExitOffice/ID",
    "SupervisingOffice/ID",
)
# Never kept, even when a system sends it with a person: not a lawful feature of anything here.
_NEVER_KEPT = frozenset({"NationalityCode", "GenderCode", "BirthDateTime", "BirthDate"})


def read(stream: BinaryIO, source: Source) -> Iterator[Reading]:
    """Read a document of WCO declarations; see ``formats/source.py`` for the contract."""
    ordinal = 0
    try:
        for captured in declarations(stream):
            ordinal = captured.ordinal
            yield _reading(captured)
    except Invalid as fault:
        # Ordinal 0: all of the document is spoilt. After whole declarations, only its rest is.
        field = fault.where.get("field")
        yield Rejected(
            position=field if field and field.startswith("line") else "document",
            ordinal=ordinal + 1 if ordinal else 0,
            reason=fault.code,
            message=f"{source.name}: {fault.message}",
            field=field,
            value=fault.where.get("value"),
        )


def _reading(captured: Captured) -> Reading:
    position = f"declaration {captured.ordinal}"
    try:
        if captured.fault is not None:
            raise captured.fault
        record, flags = _declaration(captured.root)
    except Invalid as fault:
        return Rejected(
            position=position,
            ordinal=captured.ordinal,
            reason=fault.code,
            message=fault.message,
            field=fault.where.get("field"),
            value=fault.where.get("value"),
        )
    return Accepted(position, captured.ordinal, record, flags)


def _declaration(root: Element) -> tuple[Declaration, tuple[Flag, ...]]:
    type_code = root.code("TypeCode")
    function = _function(root, type_code)
    reference, local, parent = _references(root, function)
    goods = read_goods(root)
    containers, flags = read_containers(root, goods)
    procedures = {item.procedure for item in goods if item.procedure}
    procedure = procedures.pop() if len(procedures) == 1 else None
    regime = _regime(type_code, procedure)
    transport = read_transport(root, leaving=regime in {Regime.EXPORT, Regime.FREE_ZONE_OUT})
    amended_fields, reason = _amendments(root)
    third = type_code[2:3] if type_code and type_code[:2] in _REGIMES | {"CO": None} else ""
    declared_items = root.count("GoodsItemQuantity")
    record = Declaration(
        reference=reference,
        function=function,
        local_reference=local,
        parent_reference=parent,
        type_code=type_code,
        regime=regime,
        pre_lodged=third in _PRE_LODGED,
        supplementary=third in _SUPPLEMENTARY,
        office=_first(root, _OFFICES),
        procedure=procedure,
        lodged_at=root.moment("IssueDateTime"),
        accepted_at=root.moment("AcceptanceDateTime"),
        mode=transport["mode"],
        vessel_imo=transport["vessel_imo"],
        conveyance=transport["conveyance"],
        dispatch_country=read_place(root, "ExportCountry/ID", "ExportCountry/ID"),
        destination_country=read_place(root, "Destination/CountryCode", "Destination/CountryCode"),
        place_loading=root.code("GoodsShipment/Consignment/LoadingLocation/ID"),
        place_discharge=root.code("GoodsShipment/Consignment/UnloadingLocation/ID"),
        goods_location=_first(
            root,
            (
                "GoodsShipment/Consignment/GoodsLocation/Name",
                "GoodsShipment/Consignment/GoodsLocation/ID",
            ),
        ),
        bills=read_bills(root),
        payment=_payment(root),
        invoice=root.money("InvoiceAmount"),
        freight=root.money("GoodsShipment/CustomsValuation/FreightChargeAmount"),
        gross_kg=root.mass("TotalGrossMassMeasure"),
        packages=root.count("TotalPackageQuantity"),
        parties=read_parties(root),
        goods=goods,
        containers=containers,
        amended_fields=amended_fields,
        reason=reason,
        extra=_extra(root),
    )
    flags += transport_flags(record.vessel_imo) + goods_flags(goods)
    if function is Function.ORIGINAL:
        flags += _count_flags(goods, declared_items, record.packages)
    return record, tuple(flags)


def _function(root: Element, type_code: str | None) -> Function:
    node = root.one("FunctionCode")
    code = node.value() if node is not None else None
    if node is None or code is None:
        raise root.missing("FunctionCode")
    function = REQUESTS.get(type_code or "") if code == REQUEST else _FUNCTIONS.get(code)
    if function is None:
        words = f"with type {type_code} is no function of a declaration that is known here"
        raise node.fault("code_unknown", words)
    return function


def _references(root: Element, function: Function) -> tuple[str, str | None, str | None]:
    """The reference it is kept by, the declarant's own, and that of its parent."""
    number = root.read("ID")
    local = root.read("FunctionalReferenceID")
    reference = number or local
    if reference is None:
        raise root.missing("ID")
    if function is Function.ORIGINAL:
        return reference, local, None
    if number is None and root.read("FunctionCode") == REQUEST:
        raise root.missing("ID")  # its functional reference names no declaration
    return reference, local, reference


def _regime(type_code: str | None, procedure: str | None) -> Regime:
    requested, previous = (procedure or "")[:2], (procedure or "")[2:4]
    if requested == _FREE_ZONE:
        return Regime.FREE_ZONE_IN
    if previous == _FREE_ZONE:
        return Regime.FREE_ZONE_OUT
    if requested == _TRANSIT or type_code in _TRANSIT_TYPES:
        return Regime.TRANSIT
    return _REGIMES.get((type_code or "")[:2], Regime.UNKNOWN)


def _first(root: Element, paths: tuple[str, ...]) -> str | None:
    for path in paths:
        if (text := root.read(path)) is not None:
            return text
    return None


def _payment(root: Element) -> str | None:
    """How duties are paid, where the whole declaration says one way."""
    nodes = root.all("DutyTaxFee/Payment/MethodCode") + root.all(
        "GoodsShipment/GovernmentAgencyGoodsItem/Commodity/DutyTaxFee/Payment/MethodCode"
    )
    codes = {node.text.strip().upper() for node in nodes} - {""}
    if len(codes) != 1:
        return None
    for node in nodes:
        node.use()
    return codes.pop()


def _amendments(root: Element) -> tuple[tuple[str, ...], str | None]:
    """The paths amended, and the reasons: code and, where it is given, the words for it."""
    words: dict[int, list[str]] = {}
    for statement in root.all("AdditionalInformation"):
        pointers = statement.all("Pointer")
        at = next((p for p in pointers if p.code("DocumentSectionCode") == "06A"), None)
        if at is not None or statement.code("StatementTypeCode") == "AES":
            order = (at.count("SequenceNumeric") if at is not None else None) or 1
            text = statement.read("StatementDescription")
            words.setdefault(order, []).extend([text] if text else [])
            statement.use()
    paths: list[str] = []
    reasons: list[str] = []
    for order, amendment in enumerate(root.all("Amendment"), 1):
        path = pointed_path(amendment.all("Pointer"))
        if path:
            paths.append(path)
        code = amendment.code("ChangeReasonCode")
        said = " ".join(words.pop(order, []))
        reasons.append(": ".join(part for part in (code, said) if part))
        amendment.use()
    reasons += [" ".join(rest) for rest in words.values()]
    return tuple(dict.fromkeys(paths)), "; ".join(reason for reason in reasons if reason) or None


def _extra(root: Element) -> tuple[tuple[str, str], ...]:
    """What was declared beyond the fields of the record, by path."""
    return tuple(
        (path, value)
        for path, value in root.left()
        if not path.endswith("SequenceNumeric")
        and path.rpartition("/")[2].partition("[")[0] not in _NEVER_KEPT
    )


def _count_flags(
    goods: tuple[GoodsItem, ...], declared_items: int | None, declared_packages: int | None
) -> list[Flag]:
    flags = []
    if declared_items is not None and declared_items != len(goods):
        flags.append(
            Flag("quantity_inconsistent", "GoodsItemQuantity", f"{declared_items} of {len(goods)}")
        )
    counted = sum(packages.count for item in goods for packages in item.packages)
    if declared_packages is not None and counted and declared_packages != counted:
        flags.append(Flag("quantity_inconsistent", "packages", f"{declared_packages} of {counted}"))
    return flags


def _recognise(head: bytes, _source: Source) -> bool:
    return recognise(head)


FORMAT = Format(code="wco", limit=LIMIT, recognise=_recognise, read=read)
