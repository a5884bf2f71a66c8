"""Running rules with Great Expectations: the only file that calls it to judge anything.

It is imported on first use, since that takes seconds. One lock holds every call: its contexts
share global state, and it is no faster on several threads.
"""

from __future__ import annotations

import logging
import threading
import warnings
from contextlib import contextmanager
from copy import copy
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

import msgspec

from expectations.metrics import metrics_of, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from expectations.rules import Rule

_LOG = logging.getLogger("great_expectations")
_LOCK = threading.RLock()
_COMPLETE = {"result_format": "COMPLETE", "return_unexpected_index_query": False}


class Finding(msgspec.Struct, frozen=True):
    """What one rule found: the rows that break it, or what is wrong with the batch."""

    code: str
    scope: str
    severity: str
    passed: bool
    rows: list[int]
    observed: Any = None
    expected: Any = None
    error: str | None = None


@contextmanager
def quietly() -> Iterator[None]:
    """Hold the lock, and keep the library's deprecations and chatter from our users."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _LOG.setLevel(logging.WARNING)
        yield


def expectation_of(rule: Rule) -> Any:
    """Make the expectation that a rule describes."""
    import great_expectations.expectations as gxe  # noqa: PLC0415 - takes seconds

    from expectations import custom  # noqa: PLC0415 - imports the library

    kind = getattr(custom, rule.expectation, None) or getattr(gxe, rule.expectation)
    meta = {"code": rule.code, "scope": rule.scope}
    description = f"{rule.code}: {rule.says}"
    return kind(**rule.arguments, severity=rule.severity, meta=meta, description=description)


def gx_suite(name: str, rules: Sequence[Rule]) -> Any:
    """Make a Great Expectations suite of `rules`."""
    import great_expectations as gx  # noqa: PLC0415 - takes seconds

    return gx.ExpectationSuite(name, expectations=[expectation_of(rule) for rule in rules])


def validate(name: str, rules: Sequence[Rule], rows: pl.DataFrame) -> Any:
    """Judge `rows` by `rules`; return the library's ExpectationSuiteValidationResult.

    Each expectation judges metrics of ours. A suite with a rule that `expectations.metrics` does
    not know goes the library's whole way.
    """
    with quietly():
        import great_expectations as gx  # noqa: PLC0415 - takes seconds
        from great_expectations.core import (  # noqa: PLC0415 - as above
            ExpectationSuiteValidationResult,
        )

        found = metrics_of(rules, rows)
        if found is None:
            return validate_in_pandas(name, rules, rows)
        results = [_outcome(*pair) for pair in zip(rules, found, strict=True)]
        return ExpectationSuiteValidationResult(
            success=all(outcome.success for outcome in results),
            results=results,
            suite_name=name,
            statistics=_statistics(results),
            meta={"great_expectations_version": gx.__version__},
        )


@lru_cache(maxsize=1_024)
def _judge_of(rule: Rule) -> Any:
    """Return an expectation that is in no suite, and so can be kept."""
    return expectation_of(rule)


def _outcome(rule: Rule, metrics: dict[str, Any]) -> Any:
    """Let a rule's expectation judge metrics; return its ExpectationValidationResult."""
    from great_expectations.core import (  # noqa: PLC0415 - takes seconds
        ExpectationValidationResult,
    )

    expectation = _judge_of(rule)
    metrics = named(metrics, getattr(expectation, "map_metric", ""))
    answer = expectation._validate(metrics, {"result_format": dict(_COMPLETE)}, None)  # noqa: SLF001 - the only way past its graph of metrics
    nothing = {"raised_exception": False, "exception_traceback": None, "exception_message": None}
    return ExpectationValidationResult(
        **answer, expectation_config=expectation.configuration, exception_info=nothing
    )


def validate_in_pandas(name: str, rules: Sequence[Rule], rows: pl.DataFrame) -> Any:
    """Judge as `validate`, all of it done by the library: the measure of what we do ourselves."""
    with quietly():
        import great_expectations as gx  # noqa: PLC0415 - takes seconds
        from great_expectations.data_context.types.base import (  # noqa: PLC0415 - as above
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

        # Nothing on disk, nothing on the terminal.
        config = DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            progress_bars=ProgressBarsConfig(globally=False),
        )
        context = gx.get_context(mode="ephemeral", project_config=config)
        asset = context.data_sources.add_pandas("memory").add_dataframe_asset(name)
        whole = asset.add_batch_definition_whole_dataframe("batch")
        wanted = sorted({column for rule in rules for column in rule.columns})
        batch = whole.get_batch({"dataframe": rows.select(wanted).to_pandas()})
        return batch.validate(gx_suite(name, rules), result_format=_COMPLETE)


def joined(first: Any, second: Any) -> Any:
    """Return one result of two passes of the same suite over the same batch."""
    from great_expectations.core import (  # noqa: PLC0415 - takes seconds
        ExpectationSuiteValidationResult,
    )

    results = [*first.results, *second.results]
    return ExpectationSuiteValidationResult(
        success=all(outcome.success for outcome in results),
        results=results,
        suite_name=first.suite_name,
        meta=first.meta,
        statistics=_statistics(results),
    )


def _statistics(results: list[Any]) -> dict[str, Any]:
    met = sum(bool(outcome.success) for outcome in results)
    return {
        "evaluated_expectations": len(results),
        "successful_expectations": met,
        "unsuccessful_expectations": len(results) - met,
        "success_percent": met / len(results) * 100 if results else None,
    }


def findings(result: Any) -> list[Finding]:
    """Read what each expectation of a result found."""
    return [_finding(outcome) for outcome in result.results]


def _finding(outcome: Any) -> Finding:
    config = outcome.expectation_config
    error = _error(outcome.exception_info)
    return Finding(
        code=config.meta["code"],
        scope=config.meta["scope"],
        severity=str(config.severity.value),
        passed=bool(outcome.success) and error is None,
        rows=outcome.result.get("unexpected_index_list") or [],
        observed=outcome.result.get("observed_value"),
        expected=config.kwargs.get("value"),
        error=error,
    )


def _error(info: Mapping[str, Any]) -> str | None:
    """Return what kept an expectation from judging: of itself, or of one of its metrics."""
    parts = [info] if "raised_exception" in info else info.values()
    raised = [part for part in parts if part["raised_exception"]]
    return str(raised[0]["exception_message"]) if raised else None


def render(result: Any, name: str, judged_at: datetime) -> str:
    """Return the library's page about a result; it counts on style sheets from other machines."""
    with quietly():
        from great_expectations.render.renderer.page_renderer import (  # noqa: PLC0415 - takes seconds
            ValidationResultsPageRenderer,
        )
        from great_expectations.render.view.view import (  # noqa: PLC0415 - as above
            DefaultJinjaPageView,
        )

        named = copy(result)
        run = {"run_name": escape(name), "run_time": judged_at.isoformat()}
        named.meta = {**result.meta, "run_id": run}
        view: Any = DefaultJinjaPageView()
        return str(view.render(ValidationResultsPageRenderer().render(named)))
