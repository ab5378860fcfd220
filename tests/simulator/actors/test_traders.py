"""Traders: a heavy tail, births and deaths, habits, relations, and the same ones for a seed."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.cargo.model import PartyRole
from isthmus.simulator import world
from isthmus.simulator.actors.names import Names, filled
from isthmus.simulator.actors.past import Past
from isthmus.simulator.actors.spelling import FORM, WAYS, plain, shouted, written
from isthmus.simulator.actors.staff import SHIFTS, Staff
from isthmus.simulator.actors.traders import Trader, Traders, to_order
from isthmus.simulator.actors.wording import goods_text
from isthmus.simulator.dice import Dice

WORLD = world.load()
START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 300
SALES = 12_000


class Year:
    """Most of a year of sales from a few ports to Panama, Belgium and the United States."""

    def __init__(self, seed: int, sales: int = SALES, days: int = DAYS) -> None:
        self.traders = Traders(WORLD, seed)
        self.last = START + timedelta(days=days)
        self.sales: list[tuple[datetime, Trader, Trader, str]] = []
        self.moved = 0
        known: dict[Trader, tuple[str, ...]] = {}
        dice = Dice(seed, "sales of the test")
        ports = ("ECGYE", "PECLL", "CNSHG", "NLRTM", "BRSSZ", "FRLEH")
        for number in range(sales):
            at = START + timedelta(days=days * number // sales)
            self.traders.day(at)
            port = dice.pick(ports)
            goods = dice.weighed(WORLD.regions[WORLD.region_of(port)].sends)
            shipper = self.traders.shipper(port, goods)
            buyer = self.traders.buyer(shipper, dice.pick(("PA", "BE", "US")), goods)
            self.traders.forwarder(buyer.country, buyer)
            self.sales.append((at, shipper, buyer, goods))
            self.moved += known.setdefault(shipper, shipper.address) != shipper.address
        self.shippers = Counter(shipper for _, shipper, _, _ in self.sales)
        self.everybody = list(dict.fromkeys(t for sale in self.sales for t in sale[1:3]))


@pytest.fixture(scope="module")
def year() -> Year:
    return Year(5)


def test_a_few_are_busy_and_most_are_not(year):
    counts = sorted(year.shippers.values(), reverse=True)
    assert len(counts) > 500
    assert sum(counts[: len(counts) // 20]) > 0.35 * sum(counts)  # the busiest 5 %
    assert sum(count <= 2 for count in counts) > 0.3 * len(counts)
    assert counts[0] > 40 * counts[len(counts) // 2]
    assert counts[0] < 0.1 * sum(counts)  # nobody rules


def test_firms_are_born_and_die_all_the_time(year):
    quarter = timedelta(days=DAYS // 4)
    first = {trader: at for at, *pair, _ in reversed(year.sales) for trader in pair}
    for part in range(4):
        since, until = START + part * quarter, START + (part + 1) * quarter
        born = [t for t in year.everybody if since.date() <= t.born < until.date()]
        died = [t for t in year.everybody if since.date() <= t.until < until.date()]
        seen = [t for t, at in first.items() if since <= at < until]
        assert len(born) > 20, part
        assert len(died) > 8, part
        assert len(seen) > 100, part
    assert sum(trader.born < START.date() for trader in year.everybody) > 500


def test_nobody_trades_before_birth_in_sleep_or_after_death(year):
    slept = 0
    for at, shipper, buyer, _ in year.sales:
        for trader in (shipper, buyer):
            assert trader.born <= at.date() <= trader.until
            assert not trader.sleeps <= at.date() < trader.wakes
    rested = {trader for trader in year.everybody if trader.wakes <= year.last.date()}
    for at, shipper, buyer, _ in year.sales:
        slept += sum(t in rested and at.date() >= t.wakes for t in (shipper, buyer))
    assert slept > 5  # some come back


def test_shippers_sell_to_whom_they_sold_to(year):
    pairs = Counter((shipper, buyer) for _, shipper, buyer, _ in year.sales)
    assert sum(count for count in pairs.values() if count > 1) > 0.4 * SALES
    goods = {}
    for _, shipper, _, kind in year.sales:
        goods.setdefault(shipper, set()).add(kind)
    assert sum(len(kinds) > 1 for kinds in goods.values()) > 20  # some trade in several goods


def test_the_same_seed_gives_the_same_firms_and_another_does_not():
    first, again, other = (Year(seed, 400, 30) for seed in (8, 8, 9))
    written_down = [
        [(at, s.name, s.identifier, s.address, s.price, b.name, b.until) for at, s, b, _ in y.sales]
        for y in (first, again, other)
    ]
    assert written_down[0] == written_down[1]
    assert {row[1] for row in written_down[0]}.isdisjoint({row[1] for row in written_down[2]}) or (
        written_down[0] != written_down[2]
    )


def test_no_two_firms_have_the_same_name(year):
    names = [trader.name for trader in year.everybody]
    assert len(set(names)) == len(names)
    assert all(name == " ".join(name.split()) for name in names)


def test_groups_and_strangers_share_roofs(year):
    groups: dict[int, list[Trader]] = {}
    roofs: dict[tuple, set] = {}
    for trader in year.everybody:
        if trader.group is not None:
            groups.setdefault(trader.group, []).append(trader)
        roofs.setdefault((trader.address, trader.city), set()).add(trader.group or trader.name)
    shared = [group for group in groups.values() if len(group) > 1]
    assert len(shared) > 5
    for group in shared:
        assert len({trader.country for trader in group}) == 1
        assert all(trader.forwarders is not None for trader in group)
    assert sum(len(tenants) > 1 for tenants in roofs.values()) > 10
    assert any(line.startswith("c/o ") for t in year.everybody for line in t.address)
    assert year.moved > 5


def test_habits_differ_and_stay_sound(year):
    for trader in year.everybody:
        assert 0 < trader.fill <= 1
        assert min(trader.price, trader.price_spread, trader.weighs, trader.dwell) > 0
        assert 0 <= trader.careless < 1
        assert 0 <= trader.vague < 1
    assert len({trader.price for trader in year.everybody}) == len(year.everybody)
    careless = [trader for trader in year.everybody if trader.careless > 0.1]
    assert 0.02 < len(careless) / len(year.everybody) < 0.15


def test_agents_are_kept_until_they_are_changed(year):
    traders, buyer = year.traders, max(year.everybody, key=lambda t: (t.until, t.name))
    kept = Counter(traders.forwarder("PA", buyer).name for _ in range(50))
    assert kept.most_common(1)[0][1] > 10
    firms = {
        kind(country).name
        for kind in (traders.forwarder, traders.broker, traders.haulier)
        for country in ("PA", "PA", "BE", "CN")
    }
    assert firms.isdisjoint({trader.name for trader in year.everybody})


def test_a_newcomer_was_never_seen(year):
    before = set(year.traders.names.given)
    fresh = year.traders.newcomer("PA")
    assert fresh.name not in before
    assert fresh.born == year.traders.today


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(WORLD.texts["countries"])), st.integers(0, 2**32))
def test_every_country_gives_names_and_addresses(country, seed):
    names = Names(WORLD.texts, Dice(seed, "names"))
    for line in ("fresh", "machines", "forwards", "brokers", "hauls", "any"):
        name = names.firm(country, line)
        assert "{" not in name
        assert len(name) > 4
    at = names.premises(country)
    for text in (*at.address, at.postcode, *at.contact, names.tax_number(country)):
        assert not set("#@{}") & set(text)
    assert at.city in WORLD.texts["countries"][country]["cities"]


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["Comercializadora Río Verde S.A.", "Gebroeders de Ruyter B.V.", "QXZ", "Ets"]),
    st.integers(0, 50),
    st.integers(0, 2**32),
)
def test_spelling_keeps_something_to_read(name, way, seed):
    text = written(name, way, Dice(seed, "spelling"))
    assert text.strip()
    assert abs(len(text) - len(name)) < 12


def test_every_way_of_spelling_changes_a_name():
    name = "Comercializadora del Istmo Núñez S.A."
    changed = {way: written(name, way, Dice(1, way)) for way in range(len(WAYS))}
    assert all(text != name for text in changed.values())
    assert len(set(changed.values())) == len(WAYS)
    assert plain("Núñez, Šimon & Søn") == "Nunez, Simon & Søn"
    assert shouted("Peñón") == "PENON"
    assert FORM.fullmatch("S.A.")
    assert not FORM.fullmatch("Sol")


def test_the_careless_write_themselves_in_several_ways(year):
    dice = Dice(3, "parties")
    careless = next(trader for trader in year.everybody if trader.careless > 0.1)
    careful = next(trader for trader in year.everybody if trader.careless == 0.0)
    ways = {careless.as_party(PartyRole.CONSIGNEE, dice).name for _ in range(100)}
    assert 1 < len(ways) < 60
    assert {careful.as_party(PartyRole.CONSIGNEE, dice).name for _ in range(20)} == {careful.name}
    loud = careful.as_party(PartyRole.CONSIGNEE, dice, shouts=True).name
    assert loud == shouted(careful.name)


def test_to_order_names_nobody(year):
    party = year.everybody[0].as_party(PartyRole.CONSIGNEE, Dice(1, "party"))
    made = to_order(party, WORLD, "CN")
    assert made.name == "TO ORDER"
    assert (made.identifier, made.address, made.city, made.contact) == (None, (), None, ())


def test_goods_are_written_in_the_firms_own_words(year):
    bananas, dice = WORLD.goods["bananas"], Dice(4, "words")
    texts = {
        trader: [goods_text(WORLD, bananas, "es", trader, 1080, dice) for _ in range(12)]
        for trader in year.everybody[:300]
    }
    assert len({lines[0] for lines in texts.values()}) > 60
    assert sum(len(set(lines)) <= 4 for lines in texts.values()) > 150  # each keeps to its own
    vague = {shouted(text) for text in WORLD.texts["vague"]["es"]}
    said = [shouted(line) for lines in texts.values() for line in lines]
    assert 0 < sum(line in vague for line in said) < 0.05 * len(said)
    assert sum("BANAN" in line for line in said) > 0.9 * len(said)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(WORLD.goods)), st.sampled_from(world.LANGUAGES), st.integers(0, 10**6)
)
def test_goods_are_never_without_words(code, language, words):
    trader = Traders(WORLD, words % 3).newcomer("PA")
    trader.words = words
    text = goods_text(WORLD, WORLD.goods[code], language, trader, 7, Dice(words, "text"))
    assert len(text) > 3
    assert not set("{}") & set(text)


def test_what_was_done_long_ago_fades():
    past: Past[int] = Past(10)
    for number in range(25):
        past.add(number)
    assert len(past) == 10
    assert {past.draw(Dice(seed, "draw")) for seed in range(300)} == set(range(15, 25))


def test_patterns_draw_digits_and_letters():
    dice = Dice(1, "patterns")
    drawn = {filled("##@-#x", dice) for _ in range(200)}
    assert all(len(text) == 6 and text[3] == "-" and text[5] == "x" for text in drawn)
    assert all(text[0] in "123456789" and text[2].isupper() for text in drawn)
    assert len(drawn) > 150
    assert filled("Kowloon", dice) == "Kowloon"


def test_officials_are_on_shift_and_replaced_when_they_leave():
    staff = Staff(WORLD, 2)
    ids = set()
    for hour in range(0, 24 * 40, 5):
        at = START + timedelta(hours=hour)
        person = staff.official("PA-BLB", at)
        assert person.employer == "PA-BLB"
        assert person.since <= at.date() <= person.until
        ids.add(person.id)
    assert 8 < len(ids) < 60
    assert {person.shift for person in staff.team("PA-BLB")} == set(range(SHIFTS))
    later = START + timedelta(days=20_500)
    assert staff.official("PA-BLB", later).since == later.date()
    assert staff.user("Some Line", START).id not in ids
    assert staff.team("nobody") == ()


def test_of_a_person_nothing_is_known_but_work():
    fields = set(Staff(WORLD, 1).official("PA-MIT", START).__slots__)
    assert fields == {"id", "employer", "shift", "pace", "expert", "since", "until"}
