"""What a night's stages hand to each other: one Parquet file a stage, under the night's folder.

A stage that runs again writes the same file again; receipts, not frames, travel between steps.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from core.errors import InvalidInput, NothingStored
from core.receipts import Receipt
from storage.files import read_parquet, replacing, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from storage.store import Store

FOLDER = "nights"


def write(store: Store, night: str, stage: str, frame: pl.DataFrame) -> Receipt:
    """Keep what `stage` of `night` made; the receipt's `dataset` is the stage's name."""
    path = _folder(store, night) / f"{stage}.parquet"
    write_parquet(path, frame, compression="zstd", facts={})
    return Receipt(
        dataset=stage,
        path=path.relative_to(store.home).as_posix(),
        rows=frame.height,
        source="nightjar",
    )


def read(store: Store, receipt: Receipt) -> pl.DataFrame:
    """Return what `write` kept; raise `StoreDamaged` where the file is not that any more."""
    path = store.home / receipt.path
    if not path.is_file():
        raise NothingStored(f"expected the stage {receipt.dataset} at {path}")
    return read_parquet(path)


def keep(store: Store, night: str, name: str, data: bytes) -> None:
    """Keep where a long stage has got to, so that a run that was cut off goes on from there."""
    with replacing(_folder(store, night) / name) as temporary:
        temporary.write_bytes(data)


def kept(store: Store, night: str, name: str) -> bytes | None:
    """Return what `keep` kept, None where there is nothing."""
    path = _folder(store, night) / name
    return path.read_bytes() if path.is_file() else None


def drop(store: Store, night: str, name: str) -> None:
    """Forget what `keep` kept."""
    (_folder(store, night) / name).unlink(missing_ok=True)


def forget(store: Store, night: str) -> None:
    """Remove all that the stages of `night` left."""
    folder = _folder(store, night)
    if folder.is_dir():
        shutil.rmtree(folder)


def sweep(store: Store, *, nights: int) -> int:
    """Remove the folders of all but the `nights` written last; return how many went.

    What a night found is in the store by then; these files only carried it there.
    """
    root = store.home / FOLDER
    found = sorted(root.iterdir(), key=lambda p: p.stat().st_mtime) if root.is_dir() else []
    gone = found[: max(0, len(found) - nights)]
    for folder in gone:
        shutil.rmtree(folder)
    return len(gone)


def _folder(store: Store, night: str) -> Path:
    if not night or night in {".", ".."} or "/" in night or "\\" in night or "\0" in night:
        raise InvalidInput(f"expected the name of a night, was {night!r}")
    return store.home / FOLDER / night
