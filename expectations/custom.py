"""Expectations that Great Expectations does not have. Importing this imports it.

https://docs.greatexpectations.io/docs/core/customize_expectations/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import MulticolumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_condition_partial import (  # noqa: E501 - its full name
    multicolumn_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_map_metric_provider import (  # noqa: E501 - its full name
    MulticolumnMapMetricProvider,
)

if TYPE_CHECKING:
    import pandas as pd


class OhlcConsistent(MulticolumnMapMetricProvider):
    """The condition on open, high, low, close; a comparison with NaN does not break it."""

    condition_metric_name = "multicolumn_values.nightjar_ohlc_consistent"
    condition_domain_keys = (
        "batch_id",
        "table",
        "column_list",
        "row_condition",
        "condition_parser",
        "ignore_row_if",
    )

    @multicolumn_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]  # the library has no types
    def _pandas(cls, column_list: pd.DataFrame, **_: Any) -> pd.Series:  # noqa: N805 - the library passes the class
        opened, high, low, close = (column_list.iloc[:, column] for column in range(4))
        broken = (high < np.maximum(opened, close)) | (low > np.minimum(opened, close))
        return ~broken


class ExpectOhlcConsistent(MulticolumnMapExpectation):
    """Expect low <= open, close <= high; the columns are given in the order of OHLC."""

    map_metric: ClassVar[str] = "multicolumn_values.nightjar_ohlc_consistent"
    column_list: list[str]
