"""What people say, from a network that is a server of ours to moods in the store."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from core.clock import utc_now
from core.errors import CollectionIncomplete
from flows.social import social
from storage.lake import sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TOKEN = {"access_token": "abc", "token_type": "bearer", "expires_in": 3600}


def entry(number: int, author: str, title: str, at: datetime) -> dict[str, Any]:
    return {
        "kind": "t3",
        "data": {
            "name": f"t3_{number}",
            "subreddit": "Bitcoin",
            "author": author,
            "title": title,
            "selftext": "",
            "created_utc": at.timestamp(),
            "ups": number,
            "num_comments": 0,
        },
    }


@contextmanager
def network(entries: Sequence[dict[str, Any]], status: int = 200) -> Iterator[str]:
    """Serve one listing to whoever asks with a token; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.answer(TOKEN)

        def do_GET(self) -> None:
            children = [*entries] if self.headers["authorization"] == "bearer abc" else []
            data = {"after": None, "children": children}
            self.answer({"kind": "Listing", "data": data})

        def answer(self, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def reddit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_REDDIT__KEY", "canary:canary")
    monkeypatch.setenv("NIGHTJAR_SOCIAL__SUBREDDITS", "Bitcoin")


def test_posts_get_moods_and_lose_their_texts_in_time(
    desk: Path, reddit: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    entries = [
        entry(1, "somebody", "Bitcoin surges, very bullish", now - timedelta(minutes=3)),
        entry(2, "else", "Exchange hacked, BTC crashes", now - timedelta(minutes=2)),
        entry(3, "AutoModerator", "Daily discussion of bitcoin", now - timedelta(minutes=1)),
    ]
    with network(entries) as url:
        monkeypatch.setenv("NIGHTJAR_REDDIT__URL", url)
        social(source="reddit")
        posts = sql("select post_id, author, assets, text from social_posts order by post_id")
        assert posts["author"].to_list() == ["somebody", "else"]
        assert posts["assets"].to_list() == [["BTC"], ["BTC"]]
        scores = sql("select score, model from social_sentiment order by post_id")
        assert scores["score"][0] > 0.3
        assert scores["score"][1] < -0.3
        assert set(scores["model"]) == {"vader"}
        again = social(source="reddit")
        assert again.total("inserted") == 0
    assert all("canary" not in str(row) for row in sql("from verdicts").rows())


def test_texts_are_forgotten_also_where_nothing_can_be_collected(
    desk: Path, reddit: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = datetime(2026, 1, 1, tzinfo=UTC)
    with network([entry(1, "a", "bitcoin", utc_now() - timedelta(minutes=1))]) as url:
        monkeypatch.setenv("NIGHTJAR_REDDIT__URL", url)
        social(source="reddit")
    later = utc_now() + timedelta(days=40)
    monkeypatch.setattr("tasks.social.utc_now", lambda: later)
    with network([entry(2, "b", "ether", old)], status=404) as url:
        monkeypatch.setenv("NIGHTJAR_REDDIT__URL", url)
        with pytest.raises(CollectionIncomplete, match="404"):
            social(source="reddit")
    posts = sql("select post_id, author, text from social_posts")
    assert posts.rows() == [("t3_1", "a", None)]
    assert sql("select count(*) as n from social_sentiment")["n"][0] == 1
