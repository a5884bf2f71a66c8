"""A folder that refuses to be written: what is there stays readable, and each writer says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from storage.store import Store
from tests.storage.test_doctor import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

# Root may write everywhere, so that the work is done as nobody, with all that it needs imported.
WORK = """
import os, sys
from pathlib import Path
import polars as pl
import serving.doctor
from core.errors import NightjarError
from storage import hot, landing, quarantine
from storage.archive import archive
from storage.care.doctor import doctor
from storage.lake import sql
from storage.store import Store
from tests.storage.samples import NOW, candles
store = Store(Path(sys.argv[1]), sys.argv[2], 5.0)
sql("select count(*) from candles", store=store)
if os.getuid() == 0:
    os.setuid(65534)
rows = candles(3, symbol="X-Y")
held = rows.with_columns(reasons=pl.lit(["x"]))
for write in (
    lambda: hot.put(store, "candles", rows, now=NOW),
    lambda: landing.land(store, "candles", rows, source="t", now=NOW),
    lambda: archive(store, "candles", now=NOW, hot_days=0),
    lambda: quarantine.write(store, "candles", held, "b", NOW),
):
    try:
        write()
    except NightjarError as error:
        print(type(error).__name__, "denied" in str(error))
print(sql("select count(*) from candles", store=store).item())
found = doctor(store, now=NOW)
print(sorted({(f.part, f.problem[:17], f.mended) for f in found.findings}))
print(sum(count.rows for count in found.after if count.table == "candles"))
"""


@pytest.fixture
def outside() -> Iterator[Store]:
    """A store that nobody may pass to: pytest shuts its own folders to all but their owner."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        yield Store(home, str(home / "lake"), lock_wait=20.0)


def test_what_is_there_stays_readable_and_every_writer_is_told(outside: Store) -> None:
    fill(outside)
    places = [outside.home, *outside.home.rglob("*")]
    for path in places:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        done = subprocess.run(
            [sys.executable, "-c", WORK, str(outside.home), outside.lake],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for path in places:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert done.stdout.splitlines() == [
        *["StoreUnwritable True"] * 4,
        "240",
        "[('disk', 'cannot be written', False)]",
        "240",
    ], done.stderr
