"""Run the examples of an agreement: what its authors meant against what its clauses say."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from isthmus.agreements.agreement import Agreement, Example
from isthmus.agreements.decide import decide
from isthmus.agreements.model import InForce, Released


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one example: the answers at its paths, and those that are not as meant."""

    clause: str
    example: Example
    wrong: tuple[str, ...]  # such as ``container: released by PA-NL-2026/art-4``

    @property
    def passed(self) -> bool:
        """Whether it came out as its authors meant."""
        return not self.wrong


def in_force(agreement: Agreement) -> list[InForce]:
    """Return the clauses of an agreement as ``decide`` takes them, whatever their dates."""
    return [InForce(agreement.id, agreement.hash, clause) for clause in agreement.clauses]


def without(agreement: Agreement, clauses: Iterable[str]) -> Agreement:
    """Return an agreement without some of its clauses; their examples stay."""
    gone = set(clauses)
    return replace(agreement, clauses=tuple(one for one in agreement.clauses if one.id not in gone))


def outcomes(agreement: Agreement) -> Iterator[Outcome]:
    """Run every example, and say what came of it.

    An allowed path must be released by the clause that the example stands under; a refused one
    must be withheld for the reason it names, with that clause as the nearest. So each example
    depends on its own clause and on no other.
    """
    clauses = in_force(agreement)
    for clause, held in agreement.examples.items():
        for example in held:
            decision = decide(clauses, (), example.item, example.asked, example.at)
            wrong = []
            for path in example.paths:
                answer = decision.released.get(path) or decision.withheld[path]
                meant = f"{agreement.id}/{clause}"
                if isinstance(answer, Released):
                    if not example.allow or answer.citation != meant:
                        wrong.append(f"{path}: released by {answer.citation}")
                elif (answer.code, answer.clause) != (example.because, meant):
                    near = f", nearest {answer.clause}" if answer.clause else ""
                    wrong.append(f"{path}: withheld, {answer.code}{near}")
            yield Outcome(clause, example, tuple(wrong))


def run(agreement: Agreement) -> list[Outcome]:
    """Return the examples that do not come out as their authors meant; none is what is wanted."""
    return [outcome for outcome in outcomes(agreement) if not outcome.passed]
