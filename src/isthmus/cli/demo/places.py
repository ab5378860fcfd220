"""The three nodes of a demonstration: who they are, where they stand, what they speak."""

from dataclasses import dataclass
from datetime import timedelta

from isthmus.access.model import Role
from isthmus.exchange.trust.identity import node_code
from isthmus.platform.settings import AgencySettings, ListenSettings, NodeSettings, Settings

HOST = "127.0.0.1"
PAGES = 8440  # ports of the pages, from here on
PARTNERS = 10  # the partner listeners stand so many ports further on
# An agreement takes four people of a node, and a partner's card is compared by two.
MORE = (Role.SUPERVISOR, Role.LEGAL_OFFICER, Role.LEGAL_OFFICER)


@dataclass(frozen=True, slots=True)
class Place:
    """One node: its folder's name, the authority it plays, and the ports whose papers it sees."""

    folder: str
    country: str
    agency: str
    name: str
    locale: str
    zone: str
    office: str
    port: str  # its largest: UN/LOCODE
    number: int  # how many ports after the first its pages stand

    @property
    def code(self) -> str:
        """The code by which the other nodes know it."""
        return node_code(self.country, self.agency)

    @property
    def domain(self) -> str:
        """The part of its people's logins after the @."""
        return f"{self.country.lower()}.demo.example"

    def address(self, pages: int) -> str:
        """Where its pages are, when the first node's are at port ``pages``."""
        return f"http://{HOST}:{pages + self.number}/"

    def partner_address(self, pages: int) -> str:
        """Where partners dial it."""
        return f"{HOST}:{pages + PARTNERS + self.number}"

    def settings(self, pages: int) -> Settings:
        """Return the settings of its node."""
        return Settings(
            node=NodeSettings(name=self.name, locale=self.locale, zone=self.zone),  # type: ignore[arg-type]
            agency=AgencySettings(
                code=self.agency, name=self.name, country=self.country, office=self.office
            ),
            listen=ListenSettings(host=HOST, port=pages + self.number),
        )


PANAMA = Place(
    "panama",
    "PA",
    "ANA",
    "Aduana de demostración · Panamá",
    "es",
    "America/Panama",
    "PA-HQ",
    "PAMIT",
    0,
)
NETHERLANDS = Place(
    "netherlands", "NL", "DOUANE", "Demonstratiedouane · Nederland", "nl", "Europe/Amsterdam",
    "NL-RTM", "NLRTM", 1,
)  # fmt: skip
BELGIUM = Place(
    "belgium", "BE", "DOUANE", "Douane de démonstration · Belgique", "fr", "Europe/Brussels",
    "BE-ANR", "BEANR", 2,
)  # fmt: skip
PLACES = (PANAMA, NETHERLANDS, BELGIUM)

# How long a ship takes from Panama to the ports of the other two.
CROSSING = timedelta(days=13)
