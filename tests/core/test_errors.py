import inspect
import pickle

import pytest

from core import errors


def everything() -> list[type[errors.NightjarError]]:
    return [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.NightjarError)
    ]


def test_every_error_is_retryable_or_final_and_never_both() -> None:
    for kind in everything():
        if kind is not errors.NightjarError:
            both = (issubclass(kind, errors.RetryableError), issubclass(kind, errors.FinalError))
            assert sum(both) == 1, kind


def test_every_error_stands_in_the_tree_that_the_module_draws() -> None:
    assert errors.__doc__ is not None
    assert [kind.__name__ for kind in everything() if kind.__name__ not in errors.__doc__] == []


def test_errors_carry_what_they_speak_of() -> None:
    limited = errors.RateLimited("binance", status=429, retry_after=7.0)
    assert (limited.source, limited.status, limited.retry_after) == ("binance", 429, 7.0)
    syntax = errors.StrategySyntaxError(2, 5, expected="a number", was="'x'")
    assert str(syntax) == "line 2, column 5: expected a number, was 'x'"


@pytest.mark.parametrize(
    "error",
    [
        errors.RateLimited("binance", status=429, retry_after=7.0),
        errors.StoreTooNew("hot.duckdb", version=9, known=8),
        errors.StrategySyntaxError(2, 5, expected="a number", was="'x'"),
        errors.NothingStored("no bars"),
    ],
)
def test_errors_travel_between_processes_with_text_and_fields(
    error: errors.NightjarError,
) -> None:
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert (str(arrived), vars(arrived)) == (str(error), vars(error))


def test_every_error_can_travel() -> None:
    for kind in everything():
        arrived = pickle.loads(pickle.dumps(kind.__new__(kind, "text")))
        assert (type(arrived), str(arrived)) == (kind, "text")
