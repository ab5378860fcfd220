"""What a vessel's transceiver was set to, mistakes of those who set it included."""

from dataclasses import dataclass
from datetime import UTC, datetime

from isthmus.simulator.ais.messages import NO_ETA, eta
from isthmus.simulator.ais.sixbit import text
from isthmus.simulator.ais.track import Voyage
from isthmus.simulator.ais.vessel import Transceiver, Vessel
from isthmus.simulator.dice import Dice

WRONG_MMSI = 0.006
NO_GYRO = {Transceiver.A: 0.04, Transceiver.B: 0.85}
NO_TURN = 0.15
STUCK = 0.05  # crews that never change the navigational status
SLIP = 0.04  # a letter wrong in the name
NO_IMO = 0.02
NO_SIZE = 0.05


@dataclass(frozen=True, slots=True)
class Settings:
    """What is transmitted of a vessel whatever she does."""

    mmsi: int
    imo: int
    name: str
    call_sign: str
    type: int
    size: tuple[int, int, int, int]  # metres from the antenna to bow, stern, port, starboard
    gyro: bool
    turn_sensor: bool
    stuck: bool

    def row(self, voyage: Voyage) -> tuple[int, ...]:
        """Return the numbers of messages 5 and 24, in the order of ``messages.Statics``."""
        moment = datetime.fromtimestamp(voyage.arrival, UTC)
        expected = eta(moment.month, moment.day, moment.hour, moment.minute)
        return (
            self.mmsi,
            self.imo,
            text(self.call_sign, 7)[0],
            *text(self.name, 20),
            self.type,
            *self.size,
            expected if voyage.destination else NO_ETA,
            min(round(voyage.draught * 10), 255),
            *text(voyage.destination, 20),
        )


def settings(vessel: Vessel, seed: int) -> Settings:
    """Return how a vessel's transceiver is set for all of a run."""
    dice = Dice(seed, "ais", "settings", vessel.id)
    mmsi = vessel.mmsi
    if dice.chance(WRONG_MMSI):
        mmsi = dice.pick((mmsi + 1, mmsi - 10, mmsi // 1000, 123456789, 111111111))
    name = vessel.name
    if dice.chance(SLIP):
        at = dice.whole(0, len(name) - 1)
        name = name[:at] + dice.pick(("", name[at] * 2, "0")) + name[at + 1 :]
    aft = round(vessel.length * dice.between(0.12, 0.3))
    left = vessel.beam // 2
    size = (vessel.length - aft, aft, left, vessel.beam - left)
    return Settings(
        mmsi=mmsi,
        imo=0 if vessel.imo is None or dice.chance(NO_IMO) else int(vessel.imo),
        name=name,
        call_sign=vessel.call_sign,
        type=0 if dice.chance(0.03) else vessel.type,
        size=(0, 0, 0, 0) if dice.chance(NO_SIZE) else size,
        gyro=not dice.chance(NO_GYRO.get(vessel.ais, 1.0)),
        turn_sensor=vessel.ais is Transceiver.A and not dice.chance(NO_TURN),
        stuck=dice.chance(STUCK),
    )
