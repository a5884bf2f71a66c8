from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prefect.states import Completed, Failed

from core.errors import InvalidInput, SourceRejected, SourceUnavailable, StoreBusy
from tasks.steps import Stopwatch, in_turn, worth_retrying


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


@given(st.integers(0, 40), st.integers(1, 12))
def test_what_is_submitted_in_turn_comes_in_order_and_never_runs_far_ahead(
    items: int, ahead: int
) -> None:
    submitted: list[int] = []
    read: list[int] = []

    def submit(item: int) -> int:
        submitted.append(item)
        assert len(submitted) - len(read) <= ahead
        return item * 10

    for item, made in in_turn(submit, range(items), ahead):
        read.append(item)
        assert made == item * 10
    assert read == submitted == list(range(items))
