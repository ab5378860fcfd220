"""Tables of Korean declarations, and how the tests read them."""

import csv
import io

from isthmus.cargo.formats.source import Source
from isthmus.cargo.formats.tabular import FORMAT
from isthmus.cargo.model import Reading, Rejected

HEADER = (
    "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,"
    "Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,"
    "Country of Departure,Country of Origin,Tax Rate,Tax Type,Country of Origin Indicator,"
    "Net Mass,Item Price,Fraud,Critical Fraud"
)
ROW = "97061800,2020-01-01,30,B,11,21,11,10,ZZR1LT6,QLRUBN9,0VKY2BR,,440890,BE,BE,0.0,FEU1,G,108.0,372254.4,1,2"


def read(content: bytes | str, source: Source | None = None) -> list[Reading]:
    raw = content.encode() if isinstance(content, str) else content
    return list(FORMAT.read(io.BytesIO(raw), source or Source("table.csv")))


def one_rejected(content: bytes | str, source: Source | None = None) -> Rejected:
    (reading,) = read(content, source)
    assert isinstance(reading, Rejected)
    return reading


def changed(**fields: str) -> str:
    """The sample row with other values in some columns, named by their first word."""
    values = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    for name, value in fields.items():
        (column,) = (one for one in values if one.replace(" ", "_") == name)
        values[column] = value
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values.values())
    return line.getvalue()
