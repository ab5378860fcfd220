"""What screening of names finds and costs, with its peers in the same run.

    python bench/screening.py [--data ../shared/data] [--seeds 11 12 13] [--queries 1400]
                              [--lawful 5000] [--million]

Noisy queries of fourteen classes for names of the OFAC list, and names on no list; recall at the
thresholds that raise an alert for 1 % and 5 % of the latter. Lawful names are taken as they are
and, in a second table, with noise of the same fourteen classes. The seeds are none of those that
the algorithm was made with. Then the labelled pairs, and the speed on one core.
"""

import argparse
import csv
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from names.noise import CLASSES
from names.samples import Listed, listed, noisy, queries, unlisted
from rapidfuzz import fuzz, process
from sklearn.feature_extraction.text import TfidfVectorizer

from isthmus.parties.fold import words
from isthmus.parties.index import NameIndex
from isthmus.parties.match import SAME_THRESHOLD, compare
from isthmus.parties.name import read_name
from isthmus.parties.screen import screen

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
    systems: dict[str, Search] = {
        "isthmus": lambda texts: _own(texts, index),
        "token_sort, folded": lambda texts: _token_sort(texts, names),
        "char 3-gram TF-IDF": _tfidf(names),
    }
    if asked.no_peers:
        del systems["token_sort, folded"], systems["char 3-gram TF-IDF"]
    for seed in asked.seeds:
        _recall(systems, names, seed, asked)
    _pairs(asked.data / "names" / "name_pairs.csv")
    _speed(index, names, asked.seeds[0])
    if asked.million:
        _million(names)


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
    return [
        [(hit.score, hit.place) for hit in screen(text, {"list": index}, threshold=0.01)]
        for text in texts
    ]


def _token_sort(texts: Sequence[str], names: Sequence[Listed]) -> list[list[tuple[float, int]]]:
    choices = [" ".join(sorted(words(name.name))) for name in names]
    return [
        [
            (score, at)
            for _, score, at in process.extract(
                " ".join(sorted(words(text))), choices, scorer=fuzz.ratio, limit=16
            )
        ]
        for text in texts
    ]


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
    began = time.process_time()
    scores = np.array(
        [compare(read_name(row["name1"]), read_name(row["name2"])).score for row in rows]
    )
    each = (time.process_time() - began) / len(rows) * 1e6

    def f1(threshold: float) -> float:
        said = scores >= threshold
        return float(2 * (said & truth).sum() / max(1, said.sum() + truth.sum()))

    best = max((f1(at / 100), at / 100) for at in range(1, 101))
    print(
        f"\n{len(rows)} labelled pairs: F1 {f1(SAME_THRESHOLD):.3f} at {SAME_THRESHOLD} "
        f"(best {best[0]:.3f} at {best[1]}), {each:.0f} µs a pair"
    )


def _speed(index: NameIndex, names: Sequence[Listed], seed: int) -> None:
    texts = [query.text for query in queries(names, SPEED // 2, seed)]
    texts += unlisted(SPEED // 2, seed, names)
    taken = []
    for text in texts:
        began = time.process_time()
        screen(text, {"list": index})
        taken.append(time.process_time() - began)
    print(
        f"{len(index):,} names: {len(texts) / sum(taken):,.0f} queries/s of one core, "
        f"p50 {np.median(taken) * 1e3:.2f} ms, p99 {np.quantile(taken, 0.99) * 1e3:.1f} ms, "
        f"memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"
    )


def _million(names: Sequence[Listed]) -> None:
    """A list of a million: the listed names and mixtures of their words."""
    dice = np.random.default_rng(7)
    heap = [word for name in names for word in name.name.split()]
    made = [name.name for name in names]
    while len(made) < 1_000_000:
        made.append(" ".join(heap[at] for at in dice.integers(0, len(heap), dice.integers(2, 5))))
    began = time.process_time()
    index = NameIndex(made)
    print(f"a million names indexed in {time.process_time() - began:.0f} s of processor")
    _speed(index, names, 11)


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
