"""Where everything lies: the one place that knows the folders of a store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core import settings as core_settings
from core.errors import SettingsError

if TYPE_CHECKING:
    from core.settings import Settings

_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^/?#\s]+)*", re.ASCII)


@dataclass(frozen=True)
class Store:
    """A store's places and patience.

    `home` holds all but the cold tier, which lies in `lake`: a folder, or `s3://bucket/prefix`;
    `lock_wait` is how many seconds a reader or writer waits for another one. Making a `Store`
    touches no file.
    """

    home: Path
    lake: str
    lock_wait: float = 30.0

    def __post_init__(self) -> None:
        if "://" in self.lake and not _S3.fullmatch(self.lake):
            raise SettingsError(
                f"expected a folder or s3://bucket/prefix for the lake, was {self.lake!r}"
            )

    @classmethod
    def of(cls, settings: Settings) -> Store:
        """Return the store that `settings` speak of, its paths made absolute."""
        lake = settings.lake_root.rstrip("/") or "/"
        if "://" not in lake:
            lake = str(Path(lake).absolute())
        return cls(home=settings.home.absolute(), lake=lake, lock_wait=settings.lock_wait)

    @property
    def hot_path(self) -> Path:
        """The DuckDB file of recent rows."""
        return self.home / "hot.duckdb"

    @property
    def landing(self) -> Path:
        """Batches as their sources returned them."""
        return self.home / "landing"

    @property
    def quarantine(self) -> Path:
        """Rows that a gate held back, with reasons."""
        return self.home / "quarantine"

    @property
    def docs(self) -> Path:
        """Data Docs of the gates."""
        return self.home / "docs"

    @property
    def reports(self) -> Path:
        """The nights' reports."""
        return self.home / "reports"

    @property
    def owns_lake(self) -> bool:
        """Whether the lake is under `home`, where no other machine has it."""
        return "://" not in self.lake and Path(self.lake).is_relative_to(self.home)

    def lake_table(self, dataset: str) -> str:
        """Return the folder, or the URL, of a dataset's Delta Lake table."""
        return f"{self.lake}/{dataset}"

    def in_lake(self, path: str) -> str:
        """Return a file's path inside the lake, as the catalogue names it."""
        return path.removeprefix(f"{self.lake}/")


def default_store() -> Store:
    """Return the store that the person's settings speak of."""
    return Store.of(core_settings.load())
