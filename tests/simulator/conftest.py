"""One small run for all tests of what a run is like."""

import pytest
from sample_traffic import START, Sample, read

from isthmus.simulator import run
from isthmus.simulator.papers import post
from isthmus.simulator.truth import book


@pytest.fixture(scope="session")
def traffic(tmp_path_factory) -> Sample:
    folder = tmp_path_factory.mktemp("traffic") / "sample"
    summary = run.generate(folder, run.Order(900, 14, seed=7, start=START, rate=0.06))
    sent = post.sent(folder / run.DOCUMENTS)
    return Sample(
        folder,
        summary,
        book.rows(folder),
        book.rows(folder, book.FAULTS),
        [read(*each) for each in sent],
    )
