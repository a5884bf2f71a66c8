"""What trading costs, and how an engine is told."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Literal, get_args

import msgspec
import numpy as np

from core.errors import InvalidInput
from research.reference import ABSENT, NEVER, Terms

Ambiguous = Literal["worst", "best"]

_FUNDING_PERIOD = timedelta(hours=8)
_MICRO = timedelta(microseconds=1)


class Costs(msgspec.Struct, frozen=True):
    """Costs in basis points (1 bp = 0.01 %): fee and slippage per side, funding per 8 h.

    Funding is charged on the notional at the entry, in proportion to the time held: to shorts
    always, to longs where `perpetual` says that what is traded is a perpetual future.
    """

    fee_bps: float = 10.0
    slippage_bps: float = 5.0
    funding_bps: float = 0.0
    perpetual: bool = False

    def __post_init__(self) -> None:
        for name in ("fee_bps", "slippage_bps", "funding_bps"):
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value < 10_000:
                raise InvalidInput(f"expected {name} from 0 to under 10000, was {value!r}")
        if not isinstance(self.perpetual, bool):
            raise InvalidInput(f"expected perpetual as True or False, was {self.perpetual!r}")

    @property
    def fee(self) -> float:
        """The fee as a share of the notional."""
        return self.fee_bps / 10_000

    def terms(
        self,
        step: timedelta,
        *,
        stop: float | None = None,
        target: float | None = None,
        trail: float | None = None,
        timeout: timedelta | int | None = None,
        ambiguous: Ambiguous = "worst",
    ) -> Terms:
        """Return what an engine needs to know of one strategy on bars that last `step`.

        A whole number as `timeout` counts bars.
        """
        funding = self.funding_bps / 10_000 / (_FUNDING_PERIOD // _MICRO)
        return Terms(
            step=step // _MICRO,
            stop=_level(stop),
            target=_level(target),
            trail=_level(trail),
            timeout=timeout // _MICRO if isinstance(timeout, timedelta) else NEVER,
            timeout_bars=timeout if isinstance(timeout, int) else NEVER,
            fee=self.fee,
            slippage=self.slippage_bps / 10_000,
            long_funding=funding if self.perpetual else 0.0,
            short_funding=funding,
            optimistic=check_ambiguous(ambiguous) == "best",
        )


def check_ambiguous(ambiguous: str) -> str:
    """Return `ambiguous` where it is a way to read a bar; raise `InvalidInput` otherwise."""
    if ambiguous not in get_args(Ambiguous):
        raise InvalidInput(f"expected ambiguous as worst or best, was {ambiguous!r}")
    return ambiguous


def is_number(value: object) -> bool:
    """Say whether `value` is a finite number; a boolean is none."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float | np.integer | np.floating) and math.isfinite(value)


def _level(share: float | None) -> float:
    return ABSENT if share is None else float(share)
