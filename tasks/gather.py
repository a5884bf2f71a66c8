"""One question put to one source, or to the tiers of a kind of data: rows, and what is missing.

Prefect is not needed here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import polars as pl

from core.datasets import dataset_named
from core.errors import (
    InvalidInput,
    KeyMissing,
    SourceMalformed,
    SourceRejected,
    SourceStalled,
    SourceUnavailable,
)
from sources.provider import Wanted
from tasks.questions import LOOKBACK, ROUTED

if TYPE_CHECKING:
    from tasks.asking import Asker
    from tasks.questions import Question


class Window(msgspec.Struct, frozen=True):
    """From when to when, where a feed has a history; without a start the usual one."""

    start: datetime | None = None
    end: datetime | None = None
    interval: str | None = None


class Found(NamedTuple):
    """The rows of all subjects; what could not be had, and what a person should know."""

    rows: pl.DataFrame
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def gather(asker: Asker, question: Question, window: Window, now: datetime) -> Found:
    """Ask one question about each of its subjects, one after another.

    A source without its key is a note. One that does not answer at all is not asked about the
    rest of the subjects, which are named as missing.
    """
    if not question.subjects:
        return _nothing(question, note=f"{question}: nothing is watched")
    frames, missing = [dataset_named(question.dataset).empty()], []
    for turn, subject in enumerate(question.subjects):
        wanted = _wanted(question, subject, window, now)
        try:
            frames.append(_ask(asker, question, wanted))
        except KeyMissing as error:
            return _nothing(question, note=f"{question} skipped: {error}")
        except SourceUnavailable as error:
            rest = question.subjects[turn:] if question.source != ROUTED else (subject,)
            missing += [f"{question}: {name or 'all'} ({error})" for name in rest]
            if question.source != ROUTED:
                break
        except (SourceRejected, SourceMalformed, SourceStalled, InvalidInput) as error:
            missing.append(f"{question}: {subject or 'all'} ({error})")
    return Found(_together(question.dataset, frames), tuple(missing))


def _ask(asker: Asker, question: Question, wanted: Wanted) -> pl.DataFrame:
    if question.source != ROUTED:
        return asker.rows(question.source, question.dataset, wanted)
    return asker.routed(question.dataset, asker.settings.routing.prices, wanted).answer


def _wanted(question: Question, subject: str | None, window: Window, now: datetime) -> Wanted:
    start = window.start
    if start is None and question.dataset in LOOKBACK:
        start = now - LOOKBACK[question.dataset]
    return Wanted(now=now, subject=subject, start=start, end=window.end, interval=window.interval)


def _together(dataset: str, frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Return all answers' rows, without those whose key an earlier answer had already.

    A post that two searches find is one post; doubles within one answer are left to the gate.
    """
    key = list(dataset_named(dataset).key)
    every = frames[0]
    for frame in frames[1:]:
        fresh = frame.join(every.select(key), on=key, how="anti", nulls_equal=True)
        every = pl.concat([every, fresh])
    return every


def _nothing(question: Question, *, note: str) -> Found:
    return Found(dataset_named(question.dataset).empty(), notes=(note,))
