"""What storing and reading costs, beside raw DuckDB and raw Polars on the same rows."""

from benchmarks.storage.section import FULL, QUICK, storage

__all__ = ["FULL", "QUICK", "storage"]
