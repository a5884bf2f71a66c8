"""Read the indicators of every bar that closed since the last time."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from core.settings import load
from tasks import indicators as steps
from tasks.tally import Summary, Tally

INTERVALS = ("5m", "1h")


@flow(name="indicators", flow_run_name="indicators {venue}")
def indicators(
    venue: str | None = None,
    symbols: list[str] | None = None,
    intervals: list[str] | None = None,
    since: datetime | None = None,
) -> Summary:
    """Store the readings of bars that closed since the last run; each passes the gate.

    Args:
        venue: Whose bars; the settings' venue where it is empty.
        symbols: Which markets; what the settings name, else all that are stored.
        intervals: Bars of which length; 5m and 1h where it is empty.
        since: Read bars from here on anew; what was not read yet where it is empty.
    """
    settings = load()
    whose = venue or settings.venue
    lengths = steps.check_intervals(list(intervals or INTERVALS))
    tally = Tally(steps.SOURCE)
    for symbol in steps.list_series(whose, list(symbols or settings.symbols)):
        for interval in lengths:
            state = steps.land_readings(whose, symbol, interval, since, return_state=True)
            tally.take(f"{symbol} {interval}", state.result(raise_on_failure=False))
    return tally.summary().require()
