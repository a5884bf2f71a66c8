"""What the sandbox's REST and WebSocket sides share: its history, its clock, its faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sources.sandbox.history import MINUTE_MS, View
from sources.sandbox.incidents import Stage
from sources.sandbox.symbols import BY_VENUE_SYMBOL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sources.sandbox.clock import Clock
    from sources.sandbox.faults import FaultPlan, Faults
    from sources.sandbox.history import Candles, History, Question
    from sources.sandbox.incidents import Venue
    from sources.sandbox.symbols import Instrument

_PRICED = [0, 1, 2, 3, 5, 8]  # rows of bars that are in the quote


@dataclass
class Exchange:
    """What the endpoints share; `listed` are its markets by Binance's spelling."""

    history: History
    clock: Clock
    plan: FaultPlan
    stage: Stage = field(default_factory=Stage)
    listed: Mapping[str, Instrument] = field(default_factory=lambda: BY_VENUE_SYMBOL)
    weight_minute: int = 0
    weight: int = 0

    def spend(self, weight: int) -> dict[str, str]:
        """Count a request's weight; return the headers that say what the minute has cost."""
        minute = self.clock.now_ms() // MINUTE_MS
        if minute != self.weight_minute:
            self.weight_minute, self.weight = minute, 0
        self.weight += weight
        used = str(self.weight)
        return {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}

    def bars(self, venue: Venue, question: Question, faults: Faults) -> Candles:
        """Return the bars that a venue shows now, with what is happening to it."""
        back = 0
        past = self.stage.now(venue, "stale", "replay")
        if past is not None:
            back = past.back * 1_000
            question = question._replace(
                start=None if question.start is None else question.start - back,
                end=(self.clock.now_ms() if question.end is None else question.end) - back,
            )
        view = View(self.clock.now_ms(), faults, self.plan.injected)
        candles = self.history.ask(question, view)
        if past is not None and past.kind == "replay":
            candles = candles._replace(open_time=candles.open_time + back)
        off = self.stage.now(venue, "off")
        if off is not None:
            values = candles.values.copy()
            values[_PRICED] *= 1 + off.share
            candles = candles._replace(values=values)
        return candles
