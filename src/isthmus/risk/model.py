"""One learnt model for one objective: boosted trees, calibrated, kept as plain bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl

from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Damaged, Invalid
from isthmus.risk.metrics import F64
from isthmus.risk.objectives import Objective

if TYPE_CHECKING:
    import lightgbm

FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model with all that is needed to use it and to know what it is worth.

    The probability of a positive outcome is ``1 / (1 + exp(-(slope * m + offset)))`` with m the
    raw margin of the trees (Platt 1999). ``about`` holds objective, trained rows, positives, time
    span and metrics with intervals.
    """

    objective: Objective
    trees: str
    slope: float
    offset: float
    features: tuple[str, ...]
    about: Mapping[str, Any]
    _booster: "lightgbm.Booster" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # A frozen record fills its one derived member here. The library takes two seconds to
        # load, so only what has a model waits for it.
        import lightgbm

        try:
            booster = lightgbm.Booster(model_str=self.trees)
        except lightgbm.basic.LightGBMError as error:
            raise Damaged("risk.model_damaged", "not the trees of a model") from error
        if booster.num_feature() != len(self.features):
            raise Damaged("risk.model_damaged", "the trees are not of these features")
        object.__setattr__(self, "_booster", booster)

    @property
    def base_rate(self) -> float:
        """The share of positives among the rows it was trained on."""
        return float(self.about["positives"] / self.about["rows"])

    def predict(self, frame: pl.DataFrame) -> F64:
        """The probability of a positive outcome for each row of a feature frame.

        A row gets the same probability alone as in any batch. Raises ``Invalid`` when the frame
        lacks a feature.
        """
        if not frame.height:
            return np.zeros(0)
        margin = self._booster.predict(matrix(frame, self.features), raw_score=True)
        return sigmoid(self.slope * np.asarray(margin, dtype=np.float64) + self.offset)

    def contributions(self, frame: pl.DataFrame) -> F64:
        """What each feature adds to the margin of each row (Lundberg 2018), after calibration.

        One column per feature in the order of ``features``, last the starting point; a row sums
        to the logit of its probability. A thousand times slower than ``predict``: ask it for
        picked rows only.
        """
        if not frame.height:
            return np.zeros((0, len(self.features) + 1))
        parts = self._booster.predict(matrix(frame, self.features), pred_contrib=True)
        scaled: F64 = np.asarray(parts, dtype=np.float64) * self.slope
        scaled[:, -1] += self.offset
        return scaled

    def canonical(self) -> bytes:
        """The model as bytes, from which ``model_from_bytes`` makes it again."""
        return canonical(
            {
                "format": FORMAT,
                "objective": self.objective,
                "trees": self.trees,
                "slope": self.slope,
                "offset": self.offset,
                "features": list(self.features),
                "about": dict(self.about),
            }
        )


def model_from_bytes(data: bytes) -> Model:
    """Make a model again from its bytes.

    Raises ``Damaged`` when they are not those of a model of this format.
    """
    try:
        held = orjson.loads(data)
        if held["format"] != FORMAT:
            raise Damaged("risk.model_format", "a model of another format", format=held["format"])
        return Model(
            Objective(held["objective"]),
            held["trees"],
            held["slope"],
            held["offset"],
            tuple(held["features"]),
            held["about"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("risk.model_damaged", "not the bytes of a model") from error


def matrix(frame: pl.DataFrame, features: tuple[str, ...]) -> F64:
    """The features as numbers, a row each; what is not known is not a number (nan)."""
    held = set(frame.columns)
    absent = [name for name in features if name not in held]
    if absent:
        raise Invalid("risk.column_missing", "the rows lack features", columns=absent)
    numbers = frame.select(pl.col(name).cast(pl.Float64) for name in features)
    return numbers.fill_null(float("nan")).to_numpy(order="c")


def sigmoid(margin: F64) -> F64:
    """1 / (1 + exp(-margin)), one value at a time in Polars so that batches do not matter."""
    series = pl.Series("margin", margin)
    return (1.0 / (1.0 + (-series).exp())).to_numpy()
