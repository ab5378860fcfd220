"""Masses and counts, in the units the trade declares them in."""

from decimal import Decimal

from isthmus.kernel.errors import Invalid

# UN/ECE Recommendation 20 codes of mass, in kilograms.
KILOGRAMS: dict[str, Decimal] = {
    "KGM": Decimal(1),
    "TNE": Decimal(1000),
    "GRM": Decimal("0.001"),
    "LBR": Decimal("0.45359237"),
    "STN": Decimal("907.18474"),
    "LTN": Decimal("1016.0469088"),
}


def kilograms(amount: Decimal, unit: str) -> Decimal:
    """Convert a mass to kilograms; raises ``Invalid`` when the unit is not a unit of mass."""
    factor = KILOGRAMS.get(unit.upper())
    if factor is None:
        raise Invalid("code_unknown", "not a unit of mass", field="unit", value=unit)
    return amount * factor
