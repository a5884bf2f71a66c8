"""What becomes of posts before they are stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import SOCIAL_METRICS, SOCIAL_POSTS
from core.settings import SocialSettings
from tasks.posts import forgotten_before, prepared

NOW = datetime(2026, 6, 10, 12, 30, tzinfo=UTC)
SETTINGS = SocialSettings(bots=("AutoModerator", "spam"), text_days=2)


def posts(*authors: str | None, days_ago: float = 0.0) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "author": pl.Series(authors, dtype=pl.String),
            "text": [f"text {number}" for number in range(len(authors))],
            "time": [NOW - timedelta(days=days_ago)] * len(authors),
        }
    )


def test_posts_of_bots_are_dropped_however_they_are_written() -> None:
    rows = prepared(
        SOCIAL_POSTS.name, posts("automoderator", "SPAM", None, "spammer"), SETTINGS, NOW
    )
    assert rows["author"].to_list() == [None, "spammer"]
    assert rows["text"].to_list() == ["text 2", "text 3"]


@pytest.mark.parametrize(
    ("days_ago", "kept"), [(0.0, True), (1.5, True), (1.53, False), (2.0, False), (90.0, False)]
)
def test_a_text_that_would_be_forgotten_is_never_stored(days_ago: float, *, kept: bool) -> None:
    rows = prepared(SOCIAL_POSTS.name, posts("a", days_ago=days_ago), SETTINGS, NOW)
    assert rows["text"].is_not_null().to_list() == [kept]
    assert rows["author"].to_list() == ["a"]


def test_rows_of_other_datasets_stay_as_they_are() -> None:
    rows = SOCIAL_METRICS.empty()
    assert prepared(SOCIAL_METRICS.name, rows, SETTINGS, NOW) is rows


@given(st.integers(1, 3_650), st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
def test_no_text_is_kept_longer_than_the_setting_says(days: int, naive: datetime) -> None:
    now = naive.replace(tzinfo=UTC)
    before = forgotten_before(SocialSettings(text_days=days), now)
    assert timedelta(days=days - 1) <= now - before < timedelta(days=days)
    assert before.time() == datetime.min.time()
