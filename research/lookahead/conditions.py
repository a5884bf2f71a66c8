"""Indicators and conditions proven: on a cut history they say what they say on the whole one.

A part of a rule is proven once for all strategies that have it. It is computed on the cut bars
from the parts below it, as these are on the whole history before the cut; they are proven to be
the same on the cut one. So nothing that was proven is computed again, and nothing is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from research.expressions import (
    Comparison,
    Condition,
    Cross,
    Number,
    Numeric,
    Series,
    lookback,
    walk,
)
from research.lookahead.finding import POISONED, TRUNCATED
from research.lookahead.histories import TAIL
from research.lookahead.prefix import (
    bits_inverted,
    bits_until,
    differing,
    differing_bits,
    flags_of,
    numbers_poisoned,
    poisoned,
    until,
)
from research.signals import Frame, Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from research.expressions import Node
    from research.lookahead.finding import Finding
    from research.lookahead.histories import Histories
    from research.signals import Workspace
    from research.strategy import Strategy


class Conditions:
    """What is proven so far of the parts of rules on one market."""

    def __init__(self, histories: Histories) -> None:
        self._histories = histories
        self._workspace = histories.market.workspace
        self._found: dict[tuple[str, Node], Finding | None] = {}

    def check(self, strategies: Sequence[Strategy]) -> list[Finding | None]:
        """Return the first finding in each strategy's rules, a part before what it is part of."""
        new: dict[str, dict[Node, None]] = {}
        for strategy in strategies:
            for node in _parts(strategy):
                if (strategy.timeframe, node) not in self._found:
                    new.setdefault(strategy.timeframe, {})[node] = None
        for timeframe, nodes in new.items():
            self._prove(timeframe, list(nodes))
        return [self._first(strategy) for strategy in strategies]

    def _first(self, strategy: Strategy) -> Finding | None:
        found = (self._found[strategy.timeframe, node] for node in _parts(strategy))
        return next((each for each in found if each is not None), None)

    def _prove(self, timeframe: str, nodes: list[Node]) -> None:
        whole = _Whole(self._workspace, timeframe)
        proven: dict[Node, Finding | None] = dict.fromkeys(nodes)
        for cut in self._cuts(timeframe):
            past = self._past(timeframe, cut, whole)
            for node in nodes:
                if proven[node] is None:
                    proven[node] = self._compare(past, node)
        for node in nodes:
            if proven[node] is None and isinstance(node, Condition):
                proven[node] = self._at_its_turns(timeframe, node, whole)
            self._found[timeframe, node] = proven[node]

    def _cuts(self, timeframe: str) -> Iterator[_Cut]:
        histories = self._histories
        for cut in histories.cuts:
            if known := histories.closed(timeframe, cut):
                yield _Cut(TRUNCATED, cut, known, known)
        for cut in histories.poisoned:
            if known := histories.before(timeframe, cut):
                yield _Cut(POISONED, cut, known, self._end(timeframe, known))

    def _end(self, timeframe: str, known: int) -> int:
        return min(known + TAIL, self._histories.last(timeframe).size)

    def _past(self, timeframe: str, cut: _Cut, whole: _Whole) -> _Past:
        bars, last = self._histories.bars(timeframe), self._histories.last(timeframe)
        clean = cut.kind == TRUNCATED
        kept = until(bars, cut.end) if clean else poisoned(bars, cut.known, cut.end)
        seeds = _Seeds(whole, cut)
        frame = Frame(timeframe, kept, last[: cut.end], cut.cut, seeds, seeds)
        return _Past(timeframe, cut, frame, seeds)

    def _compare(self, past: _Past, node: Node) -> Finding | None:
        whole, other = past.seeds.whole[node], past.computed(node)
        compare = differing if isinstance(node, Numeric) else differing_bits
        first = compare(whole, other, past.cut.known)
        if first is None:
            return None
        return self._histories.finding(
            past.cut.kind,
            past.cut.cut,
            past.timeframe,
            f"{node} on {past.timeframe}",
            first,
            _shown(node, whole, first),
            _shown(node, other, first),
        )

    def _at_its_turns(self, timeframe: str, node: Node, whole: _Whole) -> Finding | None:
        """Compare a condition where it turns true and false: there a bar too many shows at once."""
        last = self._histories.last(timeframe)
        flags = flags_of(whole[node], last.size)
        for known in _turns(flags):
            cut, end = int(last[known - 1]) + 1, self._end(timeframe, known)
            cuts = [_Cut(TRUNCATED, cut, known, known)]
            if flags[known - 1]:  # what is not a number holds of nothing
                cuts.append(_Cut(POISONED, cut, known, end))
            for each in cuts:
                found = self._compare(self._past(timeframe, each, whole), node)
                if found is not None:
                    return found
        return None


class _Whole(dict[Any, Any]):
    """Parts of rules on the whole history: a float or a bit per bar of a timeframe."""

    def __init__(self, workspace: Workspace, timeframe: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._timeframe = timeframe

    def __missing__(self, node: Any) -> Any:
        compute = self._workspace.values if isinstance(node, Numeric) else self._workspace.bits
        self[node] = computed = compute(self._timeframe, node)
        return computed


class _Cut(NamedTuple):
    """Where the bars of a timeframe end: `known` of them before the cut, `end` with the poison."""

    kind: str
    cut: int  # a finest bar
    known: int
    end: int


class _Past(NamedTuple):
    """The bars of a timeframe before a cut, ready to compute on."""

    timeframe: str
    cut: _Cut
    frame: Frame
    seeds: _Seeds

    def computed(self, node: Node) -> Any:
        """Compute a part on them, from the parts below it."""
        self.seeds.asked = node
        if isinstance(node, Numeric):
            return self.frame.number(node)
        return self.frame.bits(node)  # type: ignore[arg-type] # else a condition


class _Seeds:
    """Gives a frame what the parts below the one asked for are before a cut."""

    def __init__(self, whole: _Whole, cut: _Cut) -> None:
        self.asked: Node | None = None
        self.whole = whole
        self._cut = cut

    def get(self, key: tuple[str, Node], make: Callable[[], Any]) -> Any:
        """Return a part before the cut; the one asked for is computed anew."""
        node = key[1]
        if node is self.asked:
            return make()
        found, (kind, _, known, end) = self.whole[node], self._cut
        if isinstance(node, Numeric):
            return found[:known] if kind == TRUNCATED else numbers_poisoned(found, known, end)
        words = bits_until(found, known) if kind == TRUNCATED else bits_inverted(found, known, end)
        return Leaf(words, lookback(node))


def parts(rule: Condition) -> Iterator[Node]:
    """Yield what a rule is made of, and the rule, a part before what it is part of."""
    yield from (node for node in reversed(list(walk(rule))) if _is_computed(node))
    if not isinstance(rule, Comparison | Cross):
        yield rule


def _parts(strategy: Strategy) -> Iterator[Node]:
    for rule in strategy.rules():
        yield from parts(rule)


def _is_computed(node: Node) -> bool:
    if isinstance(node, Numeric):
        return not isinstance(node, Number | Series)
    return isinstance(node, Comparison | Cross)


def _turns(flags: Any) -> list[int]:
    """Return how many flags there are up to and with the first after a turn: one up, one down."""
    turns = np.flatnonzero(flags[1:] != flags[:-1]) + 1
    return [int(turn) + 1 for turn in turns[turns.size // 2 :][:2]]


def _shown(node: Node, values: Any, at: int) -> str:
    if isinstance(node, Numeric):
        return f"{float(values[at]):.17g}" if at < values.size else "nothing"
    return "true" if values[at // 64] >> np.uint64(at % 64) & np.uint64(1) else "false"
