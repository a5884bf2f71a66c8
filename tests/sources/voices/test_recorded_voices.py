"""Recorded answers of networks, beside values found in them in another way."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from core.errors import SourceMalformed
from sources.provider import Wanted
from sources.voices.reddit import Reddit
from sources.voices.twitter import Twitter
from tests.sources.recordings import find

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from tests.sources.recordings import Recorded

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def tweets(entry: Recorded) -> pl.DataFrame:
    feed, wanted = Twitter().feeds["social_posts"], Wanted(now=NOW, subject="Tweepy")
    return feed.read(entry.body, wanted, feed.request(wanted)).rows


@pytest.mark.parametrize("cassette", ["search_recent_tweets", "search_all_tweets"])
def test_twitter_posts_carry_their_time_in_their_number(real_data: Path, cassette: str) -> None:
    (entry,) = find(real_data, f"twitter/**/test_client_{cassette}.yaml")
    rows = tweets(entry)
    assert rows["post_id"].to_list() == re.findall(r'"id":"([0-9]+)"', entry.body.decode())
    # A program posted what time it was, so that the text says when.
    said = rows.filter(rows["text"].str.contains(r"^2022-10-07 [0-9:.]+ tweepy$"))
    assert said.height >= 9
    for post in said.iter_rows(named=True):
        written = datetime.fromisoformat(post["text"].removesuffix(" tweepy")).replace(tzinfo=UTC)
        assert timedelta(0) <= post["time"] - written < timedelta(seconds=2)


def test_twitter_the_next_page_is_asked_for(real_data: Path) -> None:
    (entry,) = find(real_data, "twitter/**/test_client_search_recent_tweets.yaml")
    feed, wanted = Twitter().feeds["social_posts"], Wanted(now=NOW, subject="Tweepy")
    following = feed.read(entry.body, wanted, feed.request(wanted)).following
    assert following is not None
    assert following.url.params["next_token"] == entry.json()["meta"]["next_token"]


def test_twitter_posts_of_a_person(real_data: Path) -> None:
    (entry,) = find(real_data, "twitter/**/test_client_get_users_tweets.yaml")
    rows = tweets(entry)
    assert rows["text"].to_list() == [one["text"] for one in entry.json()["data"]]
    assert [f"{time:%Y-%m-%d}" for time in rows["time"]] == ["2022-10-05", "2022-09-01"]


def test_twitter_posts_in_the_older_form(real_data: Path) -> None:
    (entry,) = find(real_data, "twitter/**/testsearchtweets.json")
    rows = tweets(entry)
    told = entry.json()["statuses"]
    assert rows.height == len(told) > 10
    assert rows["author"].to_list() == [one["user"]["screen_name"] for one in told]
    assert rows["likes"].sum() == sum(one["favorite_count"] for one in told)
    assert rows["shares"].sum() == sum(one["retweet_count"] for one in told)
    # Numbers hold the time too, to the millisecond; the text of the answer only to the second.
    for time, identifier in rows.select("time", "post_id").iter_rows():
        inside = datetime.fromtimestamp(((int(identifier) >> 22) + 1_288_834_974_657) / 1e3, UTC)
        assert timedelta(0) <= inside - time < timedelta(seconds=1)


def test_twitter_counts_of_whole_hours(real_data: Path) -> None:
    (entry,) = find(real_data, "twitter/**/test_client_get_recent_tweets_count.yaml")
    feed, wanted = Twitter().feeds["social_metrics"], Wanted(now=NOW, subject="BTC")
    rows = feed.read(entry.body, wanted, feed.request(wanted)).rows
    told = entry.json()
    on_the_hour = ":00:00.000Z"
    cut = [one for one in told["data"] if not (one["start"][13:] == one["end"][13:] == on_the_hour)]
    assert len(cut) == 2  # the first and the last hour of seven days
    assert rows.height == len(told["data"]) - 2
    whole = told["meta"]["total_tweet_count"] - sum(one["tweet_count"] for one in cut)
    assert rows["posts"].sum() == whole
    assert rows["time"].diff().drop_nulls().unique().to_list() == [timedelta(hours=1)]


@pytest.mark.parametrize(("cassette", "entries"), [("hot", 102), ("new", 100), ("comments", 100)])
def test_reddit_listings(real_data: Path, cassette: str, entries: int) -> None:
    token, listing = find(real_data, f"reddit/**/TestSubredditListings.test_{cassette}.json")
    subject = "askreddit/comments" if cassette == "comments" else "askreddit"
    feed, wanted = Reddit().feeds["social_posts"], Wanted(now=NOW, subject=subject)
    first = feed.read(token.body, wanted, feed.request(wanted)).following
    assert first is not None
    page = feed.read(listing.body, wanted, first)
    told = [child["data"] for child in json.loads(listing.body)["data"]["children"]]
    assert page.rows.height == len(told) == entries
    assert page.rows["post_id"].to_list() == [one["name"] for one in told]
    assert page.rows["likes"].to_list() == [one["ups"] for one in told]
    assert page.rows["time"].dt.epoch("s").to_list() == [int(one["created_utc"]) for one in told]
    for text, one in zip(page.rows["text"], told, strict=True):
        assert text == one.get("body") or text.startswith(one["title"])
        assert text.endswith(one.get("body") or one["selftext"])
    assert set(page.rows["place"]) == {"AskReddit"}
    assert page.following is not None
    assert page.following.url.params["after"] == json.loads(listing.body)["data"]["after"]
    assert page.following.headers["authorization"] == first.headers["authorization"]


def test_reddit_stops_at_the_start_of_the_span(real_data: Path) -> None:
    token, listing = find(real_data, "reddit/**/TestSubredditListings.test_new.json")
    told = [child["data"] for child in json.loads(listing.body)["data"]["children"]]
    times = sorted(int(one["created_utc"]) for one in told)
    start = datetime.fromtimestamp(times[len(times) // 2], UTC)
    feed, wanted = Reddit().feeds["social_posts"], Wanted(now=NOW, subject="askreddit", start=start)
    first = feed.read(token.body, wanted, feed.request(wanted)).following
    assert first is not None
    page = feed.read(listing.body, wanted, first)
    assert page.rows.height == sum(time >= start.timestamp() for time in times)
    assert page.following is None


def test_a_network_does_not_read_what_another_sends(real_data: Path) -> None:
    _, listing = find(real_data, "reddit/**/TestSubredditListings.test_new.json")
    with pytest.raises(SourceMalformed):
        tweets(listing)
