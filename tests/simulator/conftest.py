"""One sample for all tests of what a sample is like."""

import pytest
from sample_traffic import START, Sample, read

from isthmus.simulator import post, sample


@pytest.fixture(scope="session")
def traffic(tmp_path_factory) -> Sample:
    folder = tmp_path_factory.mktemp("traffic") / "sample"
    summary = sample.generate(folder, 400, seed=7, start=START)
    sent = post.sent(folder / sample.DOCUMENTS)
    return Sample(folder, summary, sample.truth(folder), [read(*each) for each in sent])
