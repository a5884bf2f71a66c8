from __future__ import annotations

from prefect.states import Completed, Failed

from core.errors import InvalidInput, SourceRejected, SourceUnavailable, StoreBusy
from tasks.steps import Stopwatch, worth_retrying


def failed(error: Exception) -> object:
    return Failed(data=error)


def test_the_type_of_an_error_says_whether_to_retry() -> None:
    assert worth_retrying(None, None, failed(SourceUnavailable("binance", "no answer")))
    assert worth_retrying(None, None, failed(StoreBusy("the store", waited=1.0)))
    assert not worth_retrying(None, None, failed(SourceRejected("binance", 400, "no")))
    assert not worth_retrying(None, None, failed(InvalidInput("no")))
    assert not worth_retrying(None, None, failed(ZeroDivisionError()))
    assert not worth_retrying(None, None, Completed(data=1))


def test_a_stopwatch_adds_up_by_stage_and_keeps_their_order() -> None:
    watch = Stopwatch()
    for stage in ("fetch", "judge", "fetch"):
        with watch(stage):
            pass
    assert list(watch.seconds) == ["fetch", "judge"]
    assert all(seconds >= 0 for seconds in watch.seconds.values())
