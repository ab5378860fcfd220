"""Equipment events of DCSA Track & Trace, put into the flat form of this node.

Source of the field names: DCSA interface standard Track & Trace 2.2 (one flat object) and 3.0
beta 1 (``metadata`` and ``payload``). Transport and shipment events tell of a ship or a document,
not of a container, and are no events of ours. Fields that have no home are left; the document
itself is kept as it came.
"""

from collections.abc import Mapping
from typing import Any

from isthmus.cargo.model import Flag
from isthmus.kernel.errors import Invalid
from isthmus.reference.check_digits import normalise_container

_PLANNED: Mapping[str, bool] = {"PLN": True, "EST": True, "ACT": False}
_EMPTY: Mapping[str, bool] = {"EMPTY": True, "LADEN": False}
# DCSA seal sources and types in our code lists seal_affixers and seal_kinds.
_AFFIXERS: Mapping[str, str] = {
    "CAR": "carrier",
    "SHI": "shipper",
    "CUS": "customs",
    "VET": "veterinary",
    "PHY": "veterinary",
}
_SEAL_KINDS: Mapping[str, str] = {"BLT": "bolt", "WIR": "wire"}
# DCSA modes in UN/ECE Recommendation 19.
_MODES: Mapping[str, str] = {"VESSEL": "1", "RAIL": "2", "TRUCK": "3", "BARGE": "8"}
_VOYAGES = (
    "importVoyageNumber",
    "carrierImportVoyageNumber",
    "exportVoyageNumber",
    "carrierExportVoyageNumber",
    "carrierVoyageNumber",
)
# Boxes are loaded under the voyage that leaves, discharged under the one that came.
_LEAVING = ("LOAD", "GTIN", "STUF")


def is_dcsa(value: Mapping[str, Any]) -> bool:
    """Whether an object has the shape of a DCSA event, of whatever type."""
    return "eventType" in value or ("metadata" in value and "payload" in value)


def flatten(value: Mapping[str, Any], channel: str) -> tuple[dict[str, Any], list[Flag]]:
    """The equipment event as an object of our flat form, not yet checked, and its flags.

    DCSA 2.x names no sender: it is then the channel by which the event came. Raises Invalid when
    it is no equipment event, or when a code of it has no meaning here.
    """
    if "metadata" in value and "payload" in value:
        metadata, payload = _object(value, "metadata"), _object(value, "payload")
    else:
        metadata = payload = value
    if metadata.get("eventType") != "EQUIPMENT":
        raise Invalid(
            "code_unknown",
            "only EQUIPMENT events tell of a container",
            field="eventType",
            value=str(metadata.get("eventType"))[:100],
        )
    flags: list[Flag] = []
    call = _object(payload, "transportCall")
    place = _object(payload, "eventLocation") or _object(call, "location")
    publisher = _object(metadata, "publisher").get("carrierCode")
    flat = {
        "event_id": metadata.get("eventID"),
        "sender": publisher or channel,
        "code": payload.get("equipmentEventTypeCode"),
        "container": _container(payload.get("equipmentReference")),
        "at": payload.get("eventDateTime"),
        "planned": _code(payload, "eventClassifierCode", _PLANNED),
        "place": place.get("UNLocationCode") or call.get("UNLocationCode"),
        "terminal": place.get("facilityCode") or call.get("facilityCode"),
        "bill": _bill(payload),
        "vessel_imo": _object(call, "vessel").get("vesselIMONumber"),
        "voyage": _voyage(call, payload.get("equipmentEventTypeCode")),
        "empty": _code(payload, "emptyIndicatorCode", _EMPTY),
        "mode": _code(call, "modeOfTransport", _MODES),
        "seals": [_seal(seal, flags) for seal in _objects(payload, "seals")] or None,
        "detail": _detail(payload) or None,
    }
    return {name: field for name, field in flat.items() if field is not None}, flags


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    if inner is None:
        return {}
    # An exact dict: an object with a repeated key is of another type and is refused with it.
    if type(inner) is not dict:
        raise Invalid("schema_violation", "is no usable object", field=name)
    return inner


def _objects(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    inner = value.get(name)
    if inner is None:
        return []
    if type(inner) is not list or any(type(part) is not dict for part in inner):
        raise Invalid("schema_violation", "is no list of objects", field=name)
    return inner


def _code(value: Mapping[str, Any], name: str, meanings: Mapping[str, Any]) -> Any:
    code = value.get(name)
    if code is None:
        return None
    if not isinstance(code, str) or code not in meanings:
        message = f"is none of {', '.join(meanings)}"
        raise Invalid("code_unknown", message, field=name, value=str(code)[:100])
    return meanings[code]


def _container(reference: Any) -> Any:
    return normalise_container(reference) if isinstance(reference, str) else reference


def _bill(payload: Mapping[str, Any]) -> Any:
    """The transport document among the documents named, in the words of either version."""
    for name, kind, number in (
        ("documentReferences", "documentReferenceType", "documentReferenceValue"),
        ("relatedDocumentReferences", "type", "value"),
    ):
        for document in _objects(payload, name):
            if document.get(kind) == "TRD":
                return document.get(number)
    return None


def _voyage(call: Mapping[str, Any], code: Any) -> Any:
    names = _VOYAGES[2:] + _VOYAGES[:2] if code in _LEAVING else _VOYAGES
    return next((call[name] for name in names if call.get(name)), None)


def _seal(value: Mapping[str, Any], flags: list[Flag]) -> dict[str, Any]:
    number = value.get("sealNumber", value.get("number"))
    source = value.get("sealSource", value.get("source"))
    kind = value.get("sealType", value.get("type"))
    if isinstance(number, str):
        number = "".join(letter for letter in number.upper() if letter.isalnum())
    for field, code, known in (("affixed_by", source, _AFFIXERS), ("kind", kind, _SEAL_KINDS)):
        if isinstance(code, str) and code not in known:
            flags.append(Flag("code_unknown", f"seals/{field}", code[:100]))
    seal = {
        "number": number,
        "kind": _SEAL_KINDS.get(kind, kind) if isinstance(kind, str) else kind,
        "affixed_by": _AFFIXERS.get(source, source) if isinstance(source, str) else source,
    }
    return {name: field for name, field in seal.items() if field is not None}


def _detail(payload: Mapping[str, Any]) -> list[list[str]]:
    """Coded fields that tell something and have no home of their own."""
    detail = []
    for name in ("ISOEquipmentCode", "isTransshipmentMove", "facilityTypeCode"):
        value = payload.get(name)
        if isinstance(value, bool):
            detail.append([name, str(value).lower()])
        elif isinstance(value, str):
            detail.append([name, value])
    return detail
