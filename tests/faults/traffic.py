"""Declarations for fault runs: each its own reference, goods and parties varied by number."""

import json
import random
from collections.abc import Iterator

GOODS = (
    ("090111", "Coffee beans, green, in bags", "BR"),
    ("392410", "Plastic tableware, assorted", "CN"),
    ("620342", "Men's trousers of cotton", "BD"),
    ("851671", "Coffee makers, electric", "CN"),
    ("870899", "Parts for motor vehicles", "JP"),
    ("940360", "Wooden furniture, knocked down", "VN"),
)
COLUMNS = (
    "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,"
    "Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,"
    "Country of Departure,Country of Origin,Tax Rate,Tax Type,Country of Origin Indicator,"
    "Net Mass,Item Price,Fraud,Critical Fraud"
)


def reference(writer: int, turn: int) -> str:
    """Return the reference of a writer's turn."""
    return f"26PA{writer:03d}{turn:07d}"


def declaration(name: str) -> bytes:
    """Return the declaration of this reference in the JSON of the node, always the same."""
    dice = random.Random(name)
    hs, words, origin = dice.choice(GOODS)
    importer = dice.randrange(400)
    value = {
        "reference": name,
        "function": "original",
        "regime": "import",
        "lodged_at": f"2026-03-{dice.randrange(1, 28):02d}T08:30:00Z",
        "gross_kg": str(dice.randrange(500, 26_000)),
        "dispatch_country": origin,
        "parties": [
            {
                "role": "importer",
                "name": f"Importadora {importer} S.A.",
                "identifier": f"1556{importer:05d}",
                "country": "PA",
            },
            {"role": "seller", "name": f"Export House {dice.randrange(90)}", "country": origin},
        ],
        "goods": [
            {
                "number": 1,
                "description": words,
                "hs": hs,
                "origin": origin,
                "packages": [{"count": dice.randrange(10, 900), "kind": "CT"}],
                "customs_value": {"amount": f"{dice.randrange(900, 90_000)}.00", "currency": "USD"},
            }
        ],
    }
    return json.dumps(value).encode()


def rows(count: int, start: int = 0) -> Iterator[str]:
    """Yield the lines of a table of declarations, header first; numbers from ``start``."""
    yield COLUMNS + "\n"
    dice = random.Random(start)
    for number in range(start, start + count):
        hs, _, origin = GOODS[number % len(GOODS)]
        yield (
            f"{50_000_000 + number},2021-04-{1 + number % 28:02d},{20 + number % 40},B,11,21,11,10,"
            f"D{number % 211:06d},I{number % 1999:06d},S{number % 977:06d},,{hs},{origin},{origin},"
            f"8.0,A,G,{dice.randrange(1, 20_000)}.0,{dice.randrange(100, 900_000)}.5,0,0\n"
        )
