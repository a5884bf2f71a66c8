"""Answers that are wrong: cut, reordered, renamed, retyped, huge, in other encodings.

`python -m tests.sources.mutants 100000` (`make mutants`) reads that many, seeded, over the answers
of all providers, and counts what became of them. A mutant is read wrongly where something else
than an error of ours is raised, or where a row that the gate accepts says what no true row says.
"""

from __future__ import annotations

import copy
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import polars as pl

from core.datasets import dataset_named
from core.errors import NightjarError
from core.market import Span
from expectations.gate import gate
from sources.frames import stamp
from sources.provider import Wanted, feed_of, stamped
from sources.streams.heard import table_of
from sources.voices.twitter_posts import time_of
from tests.sources.examples import EXAMPLES
from tests.sources.examples import NOW as EXAMPLES_NOW
from tests.sources.fakes import MINUTE, NOW, START
from tests.sources.streams.spoken import NOW as FRAMES_NOW
from tests.sources.streams.spoken import SPOKEN, Spoken
from tests.sources.venues.answers import SAMPLES, URL
from tests.sources.venues.dialects import DIALECTS, Market

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BARS = 6
BATCH = 400  # suspicious rows that are judged together
PROVENANCE = ("source", "ingested_at")
HUGE = ("1e999", "-1e999", "9" * 400, "1e308", "NaN", "Infinity", "1_000", "\uff11\uff12")
OTHER_TYPES: tuple[Any, ...] = (None, True, [], {}, "", "abc", [[[]]], {"a": "b"}, 1e300)
# Words that may be anything, and that say nothing of a market: any other word could be the truth.
WORDS = frozenset(
    {
        *("author", "place", "language", "text", "message", "name", "asset_id", "asset", "dex"),
        *("native", "trade_id", "post_id", "metric", "route", "status", "assets", "base", "quote"),
        *("sender_label", "receiver_label"),
        *("chain", "venue"),  # where an answer names them; our own loops know whom they ask
    }
)
RENAMED = "renamed_field"


class Fixture(NamedTuple):
    """A true answer, and how its provider's feed reads it."""

    name: str
    dataset: str
    body: bytes
    read: Callable[[bytes], pl.DataFrame]
    now: datetime


def fixtures() -> list[Fixture]:
    """Return one true answer at least of every feed of every provider, and each kind of frame."""
    return [*_of_examples(), *_of_samples(), *_of_bars(), *_of_sockets()]


def _of_examples() -> Iterator[Fixture]:
    for example in EXAMPLES:
        if example.rows:

            def read(body: bytes, example: Any = example) -> pl.DataFrame:
                rows = example.read(body).rows
                return stamped(example.dataset, rows, source="mutant", now=EXAMPLES_NOW)

            name = f"{example.provider} {example.name}"
            yield Fixture(name, example.dataset, example.body, read, EXAMPLES_NOW)


def _of_samples() -> Iterator[Fixture]:
    for sample in SAMPLES:
        provider = sample.venue(URL)
        feed = feed_of(provider, sample.dataset)
        wanted = Wanted(now=NOW, subject=sample.subject, start=sample.start)
        request = feed.request(wanted)

        def read(
            body: bytes, sample: Any = sample, feed: Any = feed, asked: Any = (wanted, request)
        ) -> pl.DataFrame:
            rows = feed.read(body, *asked).rows
            return stamped(sample.dataset, rows, source="mutant", now=NOW)

        body = msgspec.json.encode(sample.answer)
        yield Fixture(f"{provider.name} {sample.dataset}", sample.dataset, body, read, NOW)


def _of_bars() -> Iterator[Fixture]:
    for name, make in DIALECTS.items():
        if name == "ccxt":  # it asks and reads by itself
            continue
        dialect = make()
        now = START + (BARS + 1) * MINUTE
        dialect.market = Market(range(BARS), now)
        venue = dialect.make()
        span = Span(venue.name, "BTC-USDT", "1m", START, START + BARS * MINUTE)
        body = dialect(venue.request(span)).content

        def read(body: bytes, venue: Any = venue, span: Span = span) -> pl.DataFrame:
            page = venue.parse(body, span)
            inside = pl.col("open_time").is_between(span.start, span.end, closed="left")
            return stamp(page.filter(inside), source="mutant", now=NOW)

        yield Fixture(f"{name} candles", "candles", body, read, now + timedelta(days=1))


def _of_sockets() -> Iterator[Fixture]:
    for spoken in SPOKEN:
        if spoken.dataset and spoken.says:

            def read(body: bytes, spoken: Spoken = spoken, dataset: str = spoken.dataset) -> Any:
                heard = spoken.reader.read(spoken.sent(body), FRAMES_NOW)
                rows = table_of(dataset, [heard])
                return stamped(dataset, rows, source="mutant", now=FRAMES_NOW)

            yield Fixture(f"{spoken.name} frame", spoken.dataset, spoken.body, read, FRAMES_NOW)


def mutate(body: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Return a kind of damage and the damaged body."""
    kind = rng.choice(("cut", "encoding", "reordered", "renamed", "retyped", "huge", "dropped"))
    if kind == "cut":
        return kind, body[: rng.randrange(len(body))]
    if kind == "encoding":
        return kind, _recoded(body, rng)
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:  # CSV
        return "bytes", _with_other_bytes(body, rng)
    changed = copy.deepcopy(answer)
    places = list(_places(changed))
    if not places:
        return "cut", body[:-1]
    if kind == "reordered":
        return kind, msgspec.json.encode(_reordered(changed, rng))
    holder, key = rng.choice(places)
    if kind == "renamed" and isinstance(holder, dict):
        holder[RENAMED] = holder.pop(key)
    elif kind == "dropped" and isinstance(holder, dict):
        del holder[key]
    elif kind == "huge":
        return kind, _with_raw(changed, holder, key, rng.choice(HUGE), rng)
    else:
        kind = "retyped"
        holder[key] = rng.choice(OTHER_TYPES)
    return kind, msgspec.json.encode(changed)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every value's holder, and its key there."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield node, key
            yield from _places(value)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield node, index
            yield from _places(value)


def _reordered(node: Any, rng: random.Random) -> Any:
    """Return the same objects with their fields in another order: the same answer."""
    if isinstance(node, dict):
        keys = list(node)
        rng.shuffle(keys)
        return {key: _reordered(node[key], rng) for key in keys}
    if isinstance(node, list):
        return [_reordered(value, rng) for value in node]
    return node


_MARK = "mark-of-a-mutant"


def _with_raw(answer: Any, holder: Any, key: Any, raw: str, rng: random.Random) -> bytes:
    """Put a number that no float holds, bare or as text, in the place of a value."""
    holder[key] = _MARK
    text = msgspec.json.encode(answer).decode()
    return text.replace(f'"{_MARK}"', raw if rng.random() < 0.5 else f'"{raw}"').encode()


def _recoded(body: bytes, rng: random.Random) -> bytes:
    text = body.decode()
    way = rng.randrange(5)
    if way == 0:
        return text.encode("utf-16")
    if way == 1:
        return b"\xef\xbb\xbf" + body
    if way == 2:
        return _with_other_bytes(body, rng)
    if way == 3:
        return f"<html><body>{text}</body></html>".encode()
    return text.translate({ord(str(d)): 0xFF10 + d for d in range(10)}).encode()


def _with_other_bytes(body: bytes, rng: random.Random) -> bytes:
    """Return the body with a byte that is no UTF-8."""
    place = rng.randrange(len(body))
    return body[:place] + bytes([rng.randrange(0x80, 0x100)]) + body[place + 1 :]


@dataclass
class Outcome:
    """What became of many mutants."""

    mutants: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    held_back: int = 0
    crashed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        refused = ", ".join(f"{count:,} {name}" for name, count in self.errors.most_common())
        return (
            f"{self.mutants:,} mutants: {refused}; {self.unchanged:,} read as the true answer or a "
            f"part of it; {self.held_back:,} rows held back by the gate; "
            f"{len(self.crashed)} crashes, {len(self.false)} false rows"
        )


def hunt(count: int, seed: int = 1) -> Outcome:
    """Read `count` mutants, over all fixtures in turn, and say what became of them."""
    rng, outcome = random.Random(seed), Outcome()
    every = fixtures()
    truths = [_truth(fixture) for fixture in every]
    suspects: dict[str, list[tuple[str, Fixture, pl.DataFrame]]] = {}
    for turn in range(count):
        fixture, truth = every[turn % len(every)], truths[turn % len(every)]
        kind, body = mutate(fixture.body, rng)
        outcome.mutants += 1
        what = f"{fixture.name}: {kind}: {body[:300]!r}"
        try:
            found = fixture.read(body)
        except NightjarError as error:
            outcome.errors[type(error).__name__] += 1
            continue
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            outcome.crashed.append(f"{what} {type(error).__name__}: {error}")
            continue
        odd = [not _is_true(row, truth, fixture.now) for row in found.iter_rows(named=True)]
        if not any(odd):
            outcome.unchanged += 1
            continue
        suspects.setdefault(fixture.dataset, []).append((what, fixture, found.filter(odd)))
        if len(suspects[fixture.dataset]) >= BATCH:
            _judge(fixture.dataset, suspects.pop(fixture.dataset), outcome)
    for dataset, waiting in suspects.items():
        _judge(dataset, waiting, outcome)
    return outcome


def _truth(fixture: Fixture) -> list[dict[str, Any]]:
    """Return the true rows, and what an answer may also say: it is documented to mean that.

    A post's time may be the one that its number tells; an account that is null holds nothing.
    """
    rows = fixture.read(fixture.body).drop(PROVENANCE).to_dicts()
    if fixture.name.startswith("twitter posts"):
        rows += [row | {"time": time_of(row["post_id"])} for row in rows]
    if fixture.name == "helius accounts":
        rows += [row | {"amount": 0.0, "raw_amount": "0"} for row in rows]
    return rows


def _is_true(row: dict[str, Any], truth: list[dict[str, Any]], now: datetime) -> bool:
    """Say whether a row says what a true row says; it may leave something unsaid.

    A quote that says no time is of the moment at which it was asked for.
    """
    said = {
        name: value
        for name, value in row.items()
        if value not in (None, [], now) and name not in WORDS and name not in PROVENANCE
    }
    return any(all(true[name] == value for name, value in said.items()) for true in truth)


def _judge(
    dataset: str, waiting: list[tuple[str, Fixture, pl.DataFrame]], outcome: Outcome
) -> None:
    """Put suspicious rows through the gate, and count those that it lets pass."""
    key = list(dataset_named(dataset).key)
    marked = [frame.with_columns(pl.lit(i).alias("mutant")) for i, (_, _, frame) in
              enumerate(waiting)]  # fmt: skip
    rest = pl.concat(marked)
    now = max(fixture.now for _, fixture, _ in waiting)
    while not rest.is_empty():  # rows of one key are judged one after another: doubles are no news
        batch = rest.unique(key, keep="first", maintain_order=True)
        rest = rest.join(batch, on=[*key, "mutant"], how="anti", nulls_equal=True)
        verdict = gate(dataset, batch.drop("mutant"), now=now)
        held = verdict.quarantined.select(key)
        passed = batch.join(held, on=key, how="anti", nulls_equal=True)
        outcome.held_back += batch.height - passed.height
        for row in passed.iter_rows(named=True):
            outcome.false.append(f"{waiting[row['mutant']][0]} -> {row}")


if __name__ == "__main__":
    done = hunt(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
    print(done)
    for line in [*done.crashed[:20], *done.false[:40]]:
        print(line)
    sys.exit(bool(done.crashed or done.false))
