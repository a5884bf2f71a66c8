"""Where bars are missing, and why: as SQL over `candles`, `asked` and `quarantine`.

A stretch without bars is cut where its cause changes. Of each missing bar the cause is

- `refused`: its row is in quarantine, or the gate refused the whole answer to the last question;
- `venue_had_none`: the last question that was answered was not answered with this bar;
- `failed`: it was asked for, and no answer could be had or stored;
- `never_asked`: nobody asked.
"""

from __future__ import annotations

from storage.grid import STEP

REFUSED, NONE, FAILED, NEVER = CAUSES = ("refused", "venue_had_none", "failed", "never_asked")

_SERIES = "venue, symbol, interval"


def _on_grid(moment: str) -> str:
    """Return the first bar that opens at a moment or after it."""
    return f"make_timestamptz((epoch_us({moment}) + step - 1) // step * step)"


# From the bar that should come after a stored one to the next stored one: [start, end).
HOLES = f"""
select {_SERIES}, {STEP} as step, open_time + to_microseconds({STEP}) as start,
  following as "end"
from (select {_SERIES}, open_time,
  lead(open_time) over (partition by {_SERIES} order by open_time) as following from candles)
where epoch_us(following) - epoch_us(open_time) > {STEP}
"""


def caused(holes: str) -> str:
    """Return the query that cuts stretches without bars where their cause changes.

    Args:
        holes: a query of venue, symbol, interval, step (in microseconds), start and end.
    """
    return f"""
with holes as ({holes}),
asks as (
  select {_SERIES}, start, "end", outcome, max(asked_at) as asked_at from asked group by all
),
held as (
  select distinct {_SERIES}, open_time from quarantine where dataset = 'candles'
),
within as (
  select h.*, a.start as asked_from, a."end" as asked_to from holes h join asks a using ({_SERIES})
  where a.start < h."end" and a."end" > h.start
),
waiting as (
  select h.*, q.open_time from holes h join held q using ({_SERIES})
  where q.open_time >= h.start and q.open_time < h."end"
),
cuts as (
  select {_SERIES}, step, start, "end", start as cut from holes
  union select {_SERIES}, step, start, "end", {_on_grid("asked_from")} from within
  union select {_SERIES}, step, start, "end", {_on_grid("asked_to")} from within
  union select {_SERIES}, step, start, "end", open_time from waiting
  union select {_SERIES}, step, start, "end", open_time + to_microseconds(step) from waiting
),
pieces as (
  select {_SERIES}, step, start, cut as piece, coalesce(
    lead(cut) over (partition by {_SERIES}, start order by cut), "end") as piece_end
  from cuts where cut >= start and cut < "end"
),
answers as (
  select p.*, arg_max(a.outcome, a.asked_at) filter (a.outcome <> 'failed') as answer,
    count(a.outcome) > 0 as was_asked
  from pieces p left join asks a on a.venue = p.venue and a.symbol = p.symbol
    and a.interval = p.interval and a.start <= p.piece and a."end" > p.piece
  group by all
),
judged as (
  select p.*, case when q.open_time is not null or answer = 'refused' then '{REFUSED}'
    when answer = 'answered' then '{NONE}' when was_asked then '{FAILED}' else '{NEVER}' end
    as cause
  from answers p left join held q on q.venue = p.venue and q.symbol = p.symbol
    and q.interval = p.interval and q.open_time = p.piece
),
runs as (
  select *, sum(fresh::INTEGER) over (partition by {_SERIES}, start order by piece) as run from (
    select *, cause is distinct from
      lag(cause) over (partition by {_SERIES}, start order by piece) as fresh from judged)
)
select {_SERIES}, min(piece) as start, max(piece_end) as "end",
  (epoch_us(max(piece_end)) - epoch_us(min(piece))) // any_value(step) as bars,
  any_value(cause) as cause
from runs group by {_SERIES}, runs.start, run
"""


GAPS = f"""
select {_SERIES}, start, "end", (epoch_us("end") - epoch_us(start)) // step as bars
from ({HOLES})
"""
MISSING_BARS = caused(HOLES)
