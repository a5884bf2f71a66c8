"""Steps about what people say: the mood of each post, and forgetting its text."""

from __future__ import annotations

import polars as pl
from prefect import task

from core.clock import utc_now
from core.datasets import SOCIAL_SENTIMENT, TIME
from core.receipts import Receipt
from core.settings import load
from research.sentiment import moods
from storage import landing
from storage.forget import Forgotten, forget_texts
from storage.lake import sql
from storage.store import default_store
from tasks.posts import forgotten_before
from tasks.steps import PATIENT, log

SOURCE = "sentiment"
AT_ONCE = 20_000  # posts of one batch


@task(task_run_name="score posts by {model}", **PATIENT)
def score_posts(model: str) -> Receipt | None:
    """Leave the moods of posts that have none yet in landing; None where all have one."""
    store, now = default_store(), utc_now()
    query = """
        select p.network, p.post_id, p.time, p.assets, p.text from social_posts p
        anti join (from social_sentiment where model = $model) s
            on p.network = s.network and p.post_id = s.post_id
        where p.text is not null order by p.time limit $most
    """
    posts = sql(query, {"model": model, "most": AT_ONCE}, store=store)
    if posts.is_empty():
        return None
    scored = posts.drop("text").with_columns(
        pl.lit(model).alias("model"),
        pl.Series("score", moods(posts["text"].to_list(), model), pl.Float64),
        pl.lit(SOURCE).alias("source"),
        pl.lit(now).cast(TIME).alias("ingested_at"),
    )
    rows = SOCIAL_SENTIMENT.conform(scored.cast({"time": TIME}))
    log.info("%s posts scored by %s", f"{rows.height:,}", model)
    return landing.land(store, SOCIAL_SENTIMENT.name, rows, source=SOURCE, now=now)


@task(task_run_name="forget texts", **PATIENT)
def forget() -> Forgotten:
    """Remove the texts of posts that were kept for as long as the setting says."""
    now = utc_now()
    done = forget_texts(default_store(), before=forgotten_before(load().social, now), now=now)
    if done.texts:
        log.info("%s texts of posts forgotten", f"{done.texts:,}")
    return done
