"""What people say, and how often."""

from __future__ import annotations

import polars as pl

from core.datasets.dataset import PROVENANCE, TIME, Dataset

SOCIAL_POSTS = Dataset(
    name="social_posts",
    description="Posts that name an asset; their text is forgotten after a set number of days.",
    columns={
        "network": pl.String(),  # twitter, reddit, …
        "post_id": pl.String(),
        "time": TIME,
        "author": pl.String(),
        "place": pl.String(),  # such as the subreddit
        "language": pl.String(),
        "text": pl.String(),  # null once it was kept for as long as the setting says
        "assets": pl.List(pl.String()),  # tickers that it names
        "likes": pl.Int64(),
        "replies": pl.Int64(),
        "shares": pl.Int64(),
        **PROVENANCE,
    },
    key=("network", "post_id"),
    time_column="time",
)

SOCIAL_METRICS = Dataset(
    name="social_metrics",
    description="How much an asset is spoken of.",
    columns={
        "venue": pl.String(),
        "asset": pl.String(),
        "time": TIME,
        "posts": pl.Int64(),
        "authors": pl.Int64(),
        "interactions": pl.Int64(),
        "sentiment": pl.Float64(),  # share of what is said that is friendly, 0 to 1
        "dominance": pl.Float64(),  # share of all that is said of crypto, 0 to 1
        "rank": pl.Int64(),
        **PROVENANCE,
    },
    key=("venue", "asset", "time"),
    time_column="time",
)

SOCIAL_SENTIMENT = Dataset(
    name="social_sentiment",
    description="The mood of a post, from -1 (bad) to 1 (good).",
    columns={
        "network": pl.String(),
        "post_id": pl.String(),
        "model": pl.String(),  # vader or finbert
        "time": TIME,  # of the post
        "assets": pl.List(pl.String()),
        "score": pl.Float64(),
        **PROVENANCE,
    },
    key=("network", "post_id", "model"),
    time_column="time",
)
