from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from storage import hot, landing
from storage.archive import archive
from storage.catalog import snapshot
from storage.invariants import check_invariants
from storage.lake import sql
from storage.scrub import scrub
from tests.storage.samples import NOW, candles

if TYPE_CHECKING:
    from storage.store import Store

# Files that cannot grow beyond a size fail as a full disk does, in the middle of a write.
WORK = """
import resource, sys
from pathlib import Path
from core.errors import StoreUnwritable
from storage.store import Store
from tests.storage.test_full_disk import ACTIONS
store = Store(Path(sys.argv[1]), sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
try:
    ACTIONS[sys.argv[3]](store)
except StoreUnwritable as error:
    print("StoreUnwritable", error)
"""


def merge(store: Store) -> None:
    hot.put(store, "candles", candles(5_000, symbol="ETH-USDT"), now=NOW)


def land(store: Store) -> None:
    landing.land(store, "candles", candles(5_000), source="test", now=NOW)


def freeze(store: Store) -> None:
    archive(store, "candles", now=NOW, hot_days=0)


LARGEST = 15_000  # bytes: something of each file can be written, and never all

ACTIONS = {"merge": merge, "land": land, "archive": freeze}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_full_disk_is_named_keeps_what_was_there_and_can_be_tried_again(
    store: Store, action: str
) -> None:
    hot.put(store, "candles", candles(5_000), now=NOW)
    before = snapshot(store, symbols=["BTC-USDT"])
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(store.home), store.lake, action, str(LARGEST)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("StoreUnwritable"), done.stderr
    assert sql("select count(*) from candles", store=store).item() == 5_000
    assert snapshot(store) == before
    assert landing.pending(store) == landing.damaged(store) == []
    ACTIONS[action](store)
    assert snapshot(store, symbols=["BTC-USDT"]) == before
    assert len(landing.pending(store)) == (action == "land")
    assert check_invariants(store) == scrub(store) == []
