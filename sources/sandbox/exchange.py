"""What the sandbox's REST and WebSocket sides share: its history, its clock, its faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sources.sandbox.history import MINUTE_MS

if TYPE_CHECKING:
    from sources.sandbox.clock import Clock
    from sources.sandbox.faults import FaultPlan
    from sources.sandbox.history import History


@dataclass
class Exchange:
    """What the endpoints share."""

    history: History
    clock: Clock
    plan: FaultPlan
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
