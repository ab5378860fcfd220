"""Gateways: each office takes declarations in one form, and passes on what came in an hour.

Sea offices speak the WCO Data Model or our JSON; the free zone keeps a table of its movements.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import orjson

from isthmus.cargo.formats.declaration_json import encode_declaration
from isthmus.cargo.formats.wco_writer import write_wco
from isthmus.cargo.model import Declaration, PartyRole, Regime
from isthmus.simulator.dice import Dice
from isthmus.simulator.papers.post import Draft, Send
from isthmus.simulator.world import World

EVERY = timedelta(hours=1)
_PROLOGUE = b"<?xml version='1.0' encoding='UTF-8'?>\n"
_WAYS = {Regime.FREE_ZONE_IN: "E", Regime.FREE_ZONE_OUT: "S"}
_FIRMS = {
    "Importador": PartyRole.IMPORTER,
    "Exportador": PartyRole.EXPORTER,
    "Vendedor": PartyRole.SELLER,
    "Consignatario": PartyRole.CONSIGNEE,
}


class Gateway:
    """Gathers declarations by office and hour."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self._dice = Dice(seed, "gateway")
        self._slots: dict[tuple[datetime, str], list[Declaration]] = {}

    def form(self, office: str | None) -> str:
        """Return the form that an office takes: wco, json or table."""
        return self.world.offices[office or ""]

    def take(self, declaration: Declaration, office: str, at: datetime) -> None:
        """Take one declaration, amendment or cancellation that is lodged at a moment."""
        slot = at.replace(minute=0, second=0, microsecond=0) + EVERY
        self._slots.setdefault((slot, office), []).append(declaration)

    def close(self, until: datetime, send: Send) -> None:
        """Send every hour that ends before a moment."""
        for slot in sorted(key for key in self._slots if key[0] < until):
            (end, office), found = slot, self._slots.pop(slot)
            found.sort(key=lambda made: (made.lodged_at or end, made.reference))
            form = self.form(office)
            at = end + timedelta(seconds=self._dice.whole(5, 240))
            reference = f"{office}{end:%Y%m%d%H}"
            send(Draft(at, office, form, reference, _writing(form, found)))


def _writing(form: str, made: Sequence[Declaration]) -> Callable[[], bytes]:
    return lambda: _FORMS[form](made)


def _wco(made: Sequence[Declaration]) -> bytes:
    """One message, or several in the gateway's own wrapper."""
    messages = [write_wco(declaration) for declaration in made]
    if len(messages) == 1:
        return messages[0]
    inner = b"".join(message.removeprefix(_PROLOGUE) for message in messages)
    return _PROLOGUE + b"<Declarations>\n" + inner + b"</Declarations>\n"


def _json(made: Sequence[Declaration]) -> bytes:
    return b"".join(orjson.dumps(encode_declaration(one)) + b"\n" for one in made)


def _table(made: Sequence[Declaration]) -> bytes:
    """The free zone's table of movements, a row each (mapping ``free_zone_movements``)."""
    text = io.StringIO()
    rows = [_movement(declaration) for declaration in made]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _movement(made: Declaration) -> Mapping[str, object]:
    first = made.goods[0]
    parties = {party.role: party for party in made.parties}
    row: dict[str, object] = {
        "Movimiento": made.reference,
        "Fecha": f"{made.lodged_at:%Y-%m-%d %H:%M:%S}",
        "Sentido": _WAYS[made.regime],
        "Oficina": made.office,
        "Lote": dict(made.extra).get("Lote", ""),
        "Conocimiento": made.bills[0] if made.bills else "",
        "Contenedor": made.containers[0].number if made.containers else "",
        "Embarque": made.place_loading,
        "Destino": made.place_discharge,
        "Arancel": first.hs,
        "Descripcion": first.description,
        "Bultos": sum(packages.count for item in made.goods for packages in item.packages),
        "Embalaje": first.packages[0].kind,
        "Peso bruto": sum((item.gross_kg or Decimal(0) for item in made.goods), Decimal(0)),
        "Peso neto": sum((item.net_kg or Decimal(0) for item in made.goods), Decimal(0)),
        "Valor USD": sum(
            (item.customs_value.amount for item in made.goods if item.customs_value), Decimal(0)
        ),
        "Flete USD": made.freight.amount if made.freight else "",
        "Origen": first.origin,
    }
    for title, role in _FIRMS.items():
        party = parties.get(role)
        row[title] = party.name if party else ""
        row[f"{title} RUC"] = (party.identifier or "") if party else ""
        row[f"{title} pais"] = (party.country or "") if party else ""
        row[f"{title} ciudad"] = (party.city or "") if party else ""
    return row


_FORMS: Mapping[str, Callable[[Sequence[Declaration]], bytes]] = {
    "wco": _wco,
    "json": _json,
    "table": _table,
}
