"""The judgement as a step: the same hunt in worlds without an edge, and what that leaves."""

from __future__ import annotations

import math
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
from prefect import task

from core.errors import InvalidInput
from research.costs import Costs
from research.factory import Found, Job, explore, leaks, odds, packed, until_clear
from research.worlds import MIRRORED, PERMUTED
from storage import stages
from storage.store import default_store
from tasks.breed import Caught, caught_by, procedure_of
from tasks.crew import fan_out
from tasks.nightly import Night, night_candles
from tasks.progress import Progress
from tasks.steps import ONCE, log

if TYPE_CHECKING:
    from collections.abc import Generator

    from research.hunt import Candidate

JUDGED = "judged.msgpack"
ALARM_WORLDS = 3  # without costs, for nothing but the alarm


class Judgement(msgspec.Struct, frozen=True):
    """What the null worlds said of a night's candidates, which come with the best score first.

    `p_values` and `permutation_p` are by candidate; the latter is None for those that had not to
    stand against permuted worlds. `alarm` is how many times too good the worlds were, None where
    they were as they should be.
    """

    mirrored: tuple[Found, ...]
    permuted: tuple[Found, ...]
    p_values: tuple[float, ...]
    permutation_p: tuple[float | None, ...]
    alarm: float | None


@task(task_run_name="judge against luck", **ONCE)
def judge(night: Night) -> Judgement:
    """Hunt in null worlds until it is clear what the night's candidates are worth.

    Every world is on disk when it is done: a night that was cut off goes on with the next.
    """
    caught, terms = caught_by(night), night.question.vetting
    if not caught.candidates:
        return _kept(night, Judgement((), (), (), (), None))
    alarm = _alarm(night, caught)
    mirrored = _explored(night, _jobs(MIRRORED, terms.worlds), caught.candidates[0].score)
    p_values = odds(caught.candidates, mirrored, terms.alpha)
    above = [one for one, p in zip(caught.candidates, p_values, strict=True) if p <= terms.alpha]
    permuted, second = _second_look(night, above)
    log.info(
        "luck alone does as well in %s of %s worlds (p = %.4f); %s above it",
        sum(world.score >= caught.candidates[0].score for world in mirrored),
        *(len(mirrored), p_values[0], len(above)),
    )
    rest = [None] * (len(caught.candidates) - len(above))
    return _kept(
        night,
        Judgement(
            tuple(mirrored),
            tuple(permuted),
            tuple(p_values),
            (*second, *rest),
            alarm,
        ),
    )


def judged(night: Night) -> Judgement:
    """Return what `judge` found.

    Raises:
        InvalidInput: It has not run for this night.
    """
    data = stages.kept(default_store(), night.night, JUDGED)
    if data is None:
        raise InvalidInput(f"expected night {night.night} to be judged, was before that")
    return msgspec.msgpack.decode(data, type=Judgement)


def _kept(night: Night, judgement: Judgement) -> Judgement:
    stages.keep(default_store(), night.night, JUDGED, msgspec.msgpack.encode(judgement))
    return judgement


def _second_look(night: Night, above: list[Candidate]) -> tuple[list[Found], list[float]]:
    """Set those above mirrored luck against permuted worlds, which keep the market's trend."""
    if not above:
        return [], []
    terms = night.question.vetting
    permuted = _explored(night, _jobs(PERMUTED, terms.permutations), above[0].score)
    return permuted, odds(above, permuted, terms.permutation_alpha)


def _alarm(night: Night, caught: Caught) -> float | None:
    """Look whether the search finds too much where there is nothing, and trading is free."""
    worlds = _explored(night, _jobs(MIRRORED, ALARM_WORLDS, free=True), math.inf)
    ratio = leaks(worlds, caught.days)
    if ratio is not None:
        log.error(
            "ALARM: worlds without an edge are %.1f times as good as luck allows; nothing is "
            "promoted, for something in the engine or an indicator pays what is not there",
            ratio,
        )
    return ratio


def _jobs(kind: str, most: int, *, free: bool = False) -> list[Job]:
    return [Job(kind, world, free) for world in range(1, most + 1)]


def _explored(night: Night, jobs: list[Job], best: float) -> list[Found]:
    """Return what was found in worlds, in their order, until `best` is out of reach of winning.

    Those of an earlier run are taken from disk.
    """
    store, question = default_store(), night.question
    kind = "free" if jobs[0].free else jobs[0].kind
    name = f"{kind}.msgpack"
    data = stages.kept(store, night.night, name)
    done = [] if data is None else msgspec.msgpack.decode(data, type=list[Found])
    progress = Progress(f"{kind} worlds", key=f"worlds-{kind}")

    def worlds() -> Generator[Found, None, None]:
        yield from list(done)
        shared = packed(
            night_candles(store, night),
            procedure_of(night),
            Costs(**question.costs.model_dump()),
            night.luck,
        )
        rest = jobs[len(done) :]
        crew = fan_out(explore, shared, rest, workers=question.workers, dask=question.dask)
        with closing(crew):
            for found in crew:
                done.append(found)
                stages.keep(store, night.night, name, msgspec.msgpack.encode(done))
                progress(len(done), len(jobs))
                yield found

    with closing(worlds()) as coming:
        return until_clear(best, coming, stop_after=question.vetting.stop_after)
