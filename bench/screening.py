"""What screening of names finds and costs, with its peers in the same run.

    python bench/screening.py [--data ../shared/data] [--seeds 11 12 13] [--queries 1400]
                              [--lawful 5000] [--million]

Noisy queries of fourteen classes for names of the OFAC list, and names on no list; recall at the
thresholds that raise an alert for 1 % and 5 % of the latter. Lawful names are taken as they are
and, in a second table, with noise of the same fourteen classes. The seeds are none of those that
the algorithm was made with. Then the labelled pairs, and the speed on one core. The peers stand
beside it in the same run: token sort on folded names, TF-IDF of groups of three letters, WRatio,
and nomenklatura where it is installed.
"""

import argparse
import csv
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from names.noise import CLASSES
from names.samples import Listed, listed, noisy, queries, unlisted
from rapidfuzz import fuzz, process
from sklearn.feature_extraction.text import TfidfVectorizer

from isthmus.parties.fold import words
from isthmus.parties.index import NameIndex
from isthmus.parties.match import SAME_THRESHOLD, compare_all
from isthmus.parties.name import read_name
from isthmus.parties.screen import screen, screen_all

SPEED = 2000
Search = Callable[[Sequence[str]], list[list[tuple[float, int]]]]


def main() -> None:
    """Measure and print."""
    asked = _arguments()
    if not asked.data.exists():
        raise SystemExit(f"{asked.data} is not here: nothing is measured")
    names = listed(asked.data / "watchlists")
    began = time.process_time()
    index = NameIndex(name.name for name in names)
    print(f"{len(names):,} names indexed in {time.process_time() - began:.1f} s of processor")
    peers = {} if asked.no_peers else {
        "token_sort, folded": _token_sort(names), "char 3-gram TF-IDF": _tfidf(names)
    }  # fmt: skip
    systems: dict[str, Search] = {"isthmus": lambda texts: _own(texts, index), **peers}
    for seed in asked.seeds:
        _recall(systems, names, seed, asked)
    _pairs(asked.data / "names" / "name_pairs.csv")
    _speed(index, names, asked.seeds[0], peers)
    if asked.million:
        _million(names, asked.no_peers)


def _recall(
    systems: dict[str, Search], names: Sequence[Listed], seed: int, asked: argparse.Namespace
) -> None:
    asking = queries(names, asked.queries, seed)
    plain = unlisted(asked.lawful, seed, names)
    groups = {"lawful names as they are": plain, "lawful names with noise": noisy(plain, seed)}
    print(f"\nseed {seed}: {len(asking):,} queries, {len(plain):,} lawful names")
    for system, search in systems.items():
        began = time.process_time()
        hits = search([query.text for query in asking])
        rate = len(asking) / (time.process_time() - began)
        right = np.array(
            [
                max((score for score, at in found if names[at].entity == query.entity), default=0)
                for found, query in zip(hits, asking, strict=True)
            ]
        )
        top = np.mean(
            [
                bool(found) and names[max(found)[1]].entity == query.entity
                for found, query in zip(hits, asking, strict=True)
            ]
        )
        for group, texts in groups.items():
            raised = np.array([max((s for s, _ in found), default=0) for found in search(texts)])
            line, worst = [], []
            for share in (0.01, 0.05):
                # The lowest threshold that raises at most this share of alerts.
                found_ = right > np.sort(raised)[len(raised) - 1 - int(len(raised) * share)]
                by_class = {
                    noise: found_[[query.noise == noise for query in asking]].mean()
                    for noise in CLASSES
                }
                line.append(f"{found_.mean():.3f}")
                worst.append(by_class)
            print(
                f"  {system:20} {group:25} recall at 1 % {line[0]}, at 5 % {line[1]}; "
                f"top-1 {top:.3f}; {rate:,.0f} queries/s"
            )
            if system == "isthmus":
                for noise in CLASSES:
                    print(f"      {noise:18} {worst[0][noise]:.2f} {worst[1][noise]:.2f}")


def _own(texts: Sequence[str], index: NameIndex) -> list[list[tuple[float, int]]]:
    found = screen_all(texts, {"list": index}, threshold=0.01)
    return [[(hit.score, hit.place) for hit in hits] for hits in found]


def _token_sort(names: Sequence[Listed]) -> Search:
    choices = [" ".join(sorted(words(name.name))) for name in names]

    def search(texts: Sequence[str]) -> list[list[tuple[float, int]]]:
        return [
            [
                (score, at)
                for _, score, at in process.extract(
                    " ".join(sorted(words(text))), choices, scorer=fuzz.ratio, limit=16
                )
            ]
            for text in texts
        ]

    return search


def _tfidf(names: Sequence[Listed]) -> Search:
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3))
    table = vectors.fit_transform([" ".join(words(name.name)) for name in names]).T.tocsr()

    def search(texts: Sequence[str]) -> list[list[tuple[float, int]]]:
        found = []
        for text in texts:
            row = (vectors.transform([" ".join(words(text))]) @ table).tocoo()
            best = np.argsort(-row.data)[:16]
            found.append([(float(row.data[at]), int(row.col[at])) for at in best])
        return found

    return search


def _pairs(path: Path) -> None:
    with path.open(encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    truth = np.array([row["is_match"] == "true" for row in rows])
    pairs = [(row["name1"], row["name2"]) for row in rows]
    print(f"\n{len(rows)} labelled pairs")
    read = [(read_name(one), read_name(other)) for one, other in pairs]
    _f1("isthmus", lambda: [like.score for like in compare_all(read)], SAME_THRESHOLD, truth)
    folded = [(" ".join(words(one)), " ".join(words(other))) for one, other in pairs]
    _f1("WRatio, folded", lambda: [fuzz.WRatio(*pair) / 100 for pair in folded], 0.7, truth)
    try:
        from nomenklatura.matching import LogicV2  # type: ignore[import-not-found]
    except ImportError:
        print("  nomenklatura is not installed here")
        return
    from followthemoney import model  # type: ignore[import-not-found]
    from nomenklatura.matching.types import ScoringConfig  # type: ignore[import-not-found]

    def entity(name: str) -> Any:
        return model.get_proxy(
            {"id": name, "schema": "LegalEntity", "properties": {"name": [name]}}
        )

    config = ScoringConfig.defaults()
    made = [(entity(one), entity(other)) for one, other in pairs]
    _f1("logic-v2", lambda: [LogicV2.compare(*pair, config).score for pair in made], 0.7, truth)


def _f1(system: str, judge: Callable[[], list[float]], threshold: float, truth: Any) -> None:
    began = time.process_time()
    scores = np.array(judge())
    each = (time.process_time() - began) / len(truth) * 1e6

    def f1(least: float) -> float:
        said = scores >= least
        return float(2 * (said & truth).sum() / max(1, said.sum() + truth.sum()))

    best = max((f1(at / 100), at / 100) for at in range(1, 101))
    print(
        f"  {system:20} F1 {f1(threshold):.3f} at {threshold} (best {best[0]:.3f} at {best[1]}), "
        f"{each:.0f} µs a pair"
    )


def _speed(
    index: NameIndex, names: Sequence[Listed], seed: int, peers: Mapping[str, Search]
) -> None:
    texts = [query.text for query in queries(names, SPEED // 2, seed)]
    texts += unlisted(SPEED // 2, seed, names)
    lists = {"list": index}
    screen_all(texts[:10], lists)
    began = time.process_time()
    screen_all(texts, lists)
    rate = len(texts) / (time.process_time() - began)
    taken = []
    for text in texts:
        began = time.process_time()
        screen(text, lists)
        taken.append(time.process_time() - began)
    print(
        f"\n{len(index):,} names, one core, queries/s\n"
        f"  {'isthmus':20} {rate:,.0f} in batches; {len(texts) / sum(taken):,.0f} one by one, "
        f"p50 {np.median(taken) * 1e3:.2f} ms, p99 {np.quantile(taken, 0.99) * 1e3:.1f} ms; most "
        f"memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"
    )
    some = texts[:: max(1, len(texts) * len(index) // SPEED // 10_000)]
    for system, search in peers.items():
        began = time.process_time()
        search(some)
        print(f"  {system:20} {len(some) / (time.process_time() - began):,.0f}")


def _million(names: Sequence[Listed], alone: bool) -> None:
    """A list of a million: the listed names and mixtures of their words."""
    dice = np.random.default_rng(7)
    heap = [word for name in names for word in name.name.split()]
    made = list(names)
    while len(made) < 1_000_000:
        text = " ".join(heap[at] for at in dice.integers(0, len(heap), dice.integers(2, 5)))
        made.append(Listed("made", "made", text))
    began = time.process_time()
    index = NameIndex(name.name for name in made)
    print(f"\na million names indexed in {time.process_time() - began:.0f} s of processor")
    peers = {} if alone else {
        "token_sort, folded": _token_sort(made), "char 3-gram TF-IDF": _tfidf(made)
    }  # fmt: skip
    _speed(index, names, 11, peers)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--queries", type=int, default=1400)
    parser.add_argument("--lawful", type=int, default=5000)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--no-peers", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
