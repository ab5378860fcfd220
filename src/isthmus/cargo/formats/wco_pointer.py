"""Amendment pointers: which part of a declaration an amendment speaks of.

A WCO pointer walks from the declaration down, one step a class (its three-character WCO ID, such
as 68A) with the sequence of the one meant, and a tag (the WCO ID of a data element) at the end.
The IDs here are those of the WCO Data Model 3 that national implementation guides publish for
declarations; one that is not listed stays in the path as the code it is.
"""

from isthmus.cargo.formats.wco_element import Element

_SECTIONS = {
    "02A": "AdditionalDocument",
    "03A": "AdditionalInformation",
    "04A": "Address",
    "05A": "Agent",
    "06A": "Amendment",
    "12C": "DangerousGoods",
    "15A": "BorderTransportMeans",
    "17C": "AuthorisationHolder",
    "18A": "Carrier",
    "21A": "Classification",
    "22C": "WriteOff",
    "23A": "Commodity",
    "27A": "Consignee",
    "28A": "Consignment",
    "30A": "Consignor",
    "31B": "TransportEquipment",
    "35B": "UCR",
    "40A": "CurrencyExchange",
    "42A": "Declaration",
    "43B": "Warehouse",
    "44B": "Seal",
    "46A": "DepartureTransportMeans",
    "55B": "DomesticDutyTaxParty",
    "56A": "ExitOffice",
    "57A": "Exporter",
    "57B": "Declarant",
    "64A": "GoodsLocation",
    "65A": "GoodsMeasure",
    "67A": "GoodsShipment",
    "68A": "GovernmentAgencyGoodsItem",
    "70A": "GovernmentProcedure",
    "74A": "Importer",
    "93A": "Packaging",
    "95B": "ExportCountry",
    "97B": "SupervisingOffice",
    "99A": "PreviousDocument",
    "99B": "Destination",
}
_TAGS = {
    ("02A", "D005"): "ID",
    ("02A", "D006"): "TypeCode",
    ("02A", "D028"): "Name",
    ("02A", "360"): "LPCOExemptionCode",
    ("03A", "225"): "StatementDescription",
    ("03A", "226"): "StatementCode",
    ("04A", "239"): "Line",
    ("04A", "241"): "CityName",
    ("04A", "242"): "CountryCode",
    ("04A", "245"): "PostcodeID",
    ("04A", "410"): "TypeCode",
    ("05A", "102"): "FunctionCode",
    ("05A", "R004"): "ID",
    ("12C", "506"): "UNDGID",
    ("15A", "T006"): "ID",
    ("15A", "T014"): "RegistrationNationalityCode",
    ("15A", "T018"): "IdentificationTypeCode",
    ("15A", "T022"): "ModeCode",
    ("17C", "R144"): "ID",
    ("17C", "R145"): "CategoryCode",
    ("18A", "R011"): "Name",
    ("18A", "R012"): "ID",
    ("21A", "145"): "ID",
    ("21A", "337"): "IdentificationTypeCode",
    ("23A", "137"): "Description",
    ("27A", "R014"): "Name",
    ("28A", "096"): "ContainerCode",
    ("30A", "R020"): "Name",
    ("30A", "R021"): "ID",
    ("31B", "159"): "ID",
    ("40A", "118"): "RateNumeric",
    ("42A", "017"): "FunctionCode",
    ("42A", "109"): "InvoiceAmount",
    ("42A", "146"): "TotalPackageQuantity",
    ("42A", "228"): "GoodsItemQuantity",
    ("42A", "D013"): "TypeCode",
    ("42A", "D026"): "FunctionalReferenceID",
    ("43B", "L019"): "ID",
    ("43B", "L112"): "TypeCode",
    ("44B", "165"): "ID",
    ("56A", "G005"): "ID",
    ("57A", "R031"): "Name",
    ("57A", "R032"): "ID",
    ("57B", "R123"): "ID",
    ("64A", "L016"): "Name",
    ("64A", "L017"): "ID",
    ("64A", "L110"): "TypeCode",
    ("65A", "126"): "GrossMassMeasure",
    ("65A", "128"): "NetNetWeightMeasure",
    ("65A", "130"): "TariffQuantity",
    ("67A", "103"): "TransactionNatureCode",
    ("68A", "103"): "TransactionNatureCode",
    ("68A", "114"): "StatisticalValueAmount",
    ("70A", "161"): "PreviousCode",
    ("70A", "166"): "CurrentCode",
    ("74A", "R038"): "ID",
    ("93A", "141"): "TypeCode",
    ("93A", "142"): "MarksNumbersID",
    ("93A", "144"): "QuantityQuantity",
    ("95B", "062"): "ID",
    ("97B", "G012"): "ID",
    ("99A", "171"): "LineNumeric",
    ("99A", "D018"): "ID",
    ("99A", "D019"): "TypeCode",
    ("99A", "D031"): "CategoryCode",
    ("99B", "465"): "CountryCode",
}
_SECTION_OF = {name: code for code, name in _SECTIONS.items()}
_TAG_OF = {(section, name): tag for (section, tag), name in _TAGS.items()}

Step = tuple[str, str | None, str | None]  # class ID, sequence, tag


def pointed_path(pointers: list[Element]) -> str:
    """The path that a row of pointers walks, such as ``Declaration[1]/TotalPackageQuantity``."""
    steps: list[str] = []
    for pointer in pointers:
        section = pointer.code("DocumentSectionCode") or ""
        sequence = pointer.count("SequenceNumeric")
        tag = pointer.code("TagID")
        if section:
            index = f"[{sequence}]" if sequence is not None else ""
            steps.append(_SECTIONS.get(section, section) + index)
        if tag:
            steps.append(_TAGS.get((section, tag), tag))
    return "/".join(steps)


def pointer_steps(path: str) -> list[Step]:
    """The pointers that walk a path made by ``pointed_path``, for writing."""
    steps: list[Step] = []
    for name in path.split("/"):
        plain, _, index = name.removesuffix("]").partition("[")
        known = plain in _SECTION_OF or plain in _SECTIONS
        if steps and not index and not known:
            section, sequence, _ = steps[-1]
            steps[-1] = (section, sequence, _TAG_OF.get((section, plain), plain))
        else:
            steps.append((_SECTION_OF.get(plain, plain), index or None, None))
    return steps
