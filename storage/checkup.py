"""Facts about how good the stored bars are: what a score and a report of the data rest on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from storage.grid import STEP
from storage.lake import sql

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from storage.store import Store

# A normal distribution's standard deviation over its median absolute deviation.
_SIGMA = 1.4826
# A move is a jump beyond so many robust standard deviations, and beyond so much of the price:
# a market that hardly moves has a deviation that any trade exceeds.
JUMP_SIGMAS, JUMP_LEAST = 12.0, 0.005
# A volume is an outlier so many robust standard deviations above the usual, in logarithms.
VOLUME_SIGMAS = 8.0
# Below so many bars a deviation says nothing.
_ENOUGH = 100

_SERIES = "venue, symbol, interval"
_BARS = f"""
bars as (
  select {_SERIES}, open_time, close, volume,
    case when epoch_us(open_time) - epoch_us(lag(open_time) over one) = {STEP}
      and close > 0 and lag(close) over one > 0
      then ln(close / lag(close) over one) end as move,
    case when volume > 0 then ln(volume) end as size
  from candles where open_time >= $since and open_time < $now
  window one as (partition by {_SERIES} order by open_time)
),
usual as (
  select {_SERIES}, count(*) as bars, {_SIGMA} * median(abs(move)) as sigma, median(size) as middle
  from bars group by all
),
spread as (
  select {_SERIES}, {_SIGMA} * median(abs(size - middle)) as width
  from bars join usual using ({_SERIES}) group by all
),
judged as (
  select b.*, u.bars, move / nullif(sigma, 0) as jump, (size - middle) / nullif(width, 0) as surge,
    u.bars >= {_ENOUGH} and abs(move) > {JUMP_LEAST} and abs(jump) > {JUMP_SIGMAS} as jumps,
    u.bars >= {_ENOUGH} and surge > {VOLUME_SIGMAS} as surges
  from bars b join usual u using ({_SERIES}) join spread using ({_SERIES})
)
"""

_OUTLIERS = f"""
with {_BARS}
select {_SERIES}, open_time, 'jump' as kind, exp(move) - 1 as size, abs(jump) as sigmas
from judged where jumps
union all
select {_SERIES}, open_time, 'volume' as kind, volume as size, surge as sigmas
from judged where surges
order by sigmas desc, {_SERIES}, open_time limit $most
"""

# Of one venue alone there is nothing to be distant from.
_FACTS = f"""
with {_BARS},
peers as (
  select symbol, interval, open_time, median(close) as middle from bars
  where close > 0 group by all having count(*) > 1
),
apart as (
  select {_SERIES}, median(abs(close / middle - 1)) as distance, count(*) as compared
  from bars join peers using (symbol, interval, open_time) where close > 0 group by all
),
counted as (
  select {_SERIES}, count(*) as bars, count(*) filter (jumps) as jumps,
    count(*) filter (surges) as surges,
    count(*) filter (coalesce(jumps, false) or coalesce(surges, false)) as outliers,
    (epoch_us(max(open_time)) - epoch_us(min(open_time))) // any_value({STEP}) + 1 as expected
  from judged group by all
),
ends as (
  select {_SERIES}, min(open_time) as first, max(open_time) as last, any_value({STEP}) as step
  from candles where open_time < $now group by all
),
waiting as (
  select q.venue, q.symbol, q.interval, count(distinct q.open_time) as held
  from quarantine q anti join candles c on c.venue = q.venue and c.symbol = q.symbol
    and c.interval = q.interval and c.open_time = q.open_time
  where q.dataset = 'candles' and q.open_time >= $since and q.open_time < $now group by all
)
select {_SERIES}, first, last, coalesce(c.bars, 0) as bars,
  case when c.bars is null then 0 when first >= $since then c.expected
    else (epoch_us(last) - epoch_us($since) + step - 1) // step + 1 end as expected,
  (epoch_us($now) - epoch_us(last) - step) / 1e6 as age, step / 1e6 as step,
  coalesce(held, 0) as held, coalesce(jumps, 0) as jumps, coalesce(surges, 0) as surges,
  coalesce(outliers, 0) as outliers, distance, coalesce(compared, 0) as compared
from ends left join counted c using ({_SERIES}) left join waiting using ({_SERIES})
  left join apart using ({_SERIES})
order by {_SERIES}
"""


def facts(store: Store, *, now: datetime, days: int) -> pl.DataFrame:
    """Return a row per series about its last `days` days.

    Columns: the series; `first` and `last` bar ever; of the window `bars`, and how many were
    `expected` between its first and its last bar; `age`, seconds since the last bar closed, and
    `step`, the seconds of a bar; `held`, bars that are only in quarantine; `jumps`, `surges` and
    `outliers` (bars that are either); `distance`, the median of |close / median close of all venues
    - 1| over the `compared` bars that another venue has too, null where there is none.
    """
    return sql(_FACTS, {"since": now - timedelta(days=days), "now": now}, store=store)


def outliers(store: Store, *, now: datetime, days: int, most: int = 30) -> pl.DataFrame:
    """Return the bars of the last `days` days that stand out most from their own series.

    Columns: the series, `open_time`, `kind` (jump or volume), `size` (change of the close, or the
    volume), and `sigmas`: how many robust standard deviations (1.4826 times the median absolute
    deviation) it is away, of the move from close to close, or of the logarithm of the volume.
    """
    values = {"since": now - timedelta(days=days), "now": now, "most": most}
    return sql(_OUTLIERS, values, store=store)
