"""Every error nightjar raises on purpose.

NightjarError
├── RetryableError            trying the same again may succeed
│   ├── SourceUnavailable     no answer, a broken answer, or a 5xx
│   │   ├── RateLimited       429 and 418; carries how long to wait
│   │   └── SourceResting     it failed too often just now, so nothing is sent for a while
│   ├── CollectionIncomplete  some spans could not be had; names them
│   ├── StoreBusy             somebody else holds the store
│   ├── StoreUnwritable       the disk is full, or refuses
│   ├── LakeUnavailable       the object store of the lake does not answer
│   └── ClusterUnavailable    no scheduler answers, or it has no workers
└── FinalError                trying the same again cannot succeed
    ├── SourceRejected        the source understood and said no
    ├── SourceMalformed       the answer is not what its documentation says
    ├── SourceStalled         the next page is the page before
    ├── SourceOutOfReach      the source no longer has what was asked for
    ├── ContractBroken        columns or types are not the dataset's
    ├── GateRefused           too much of a batch failed its suite
    ├── StoreDamaged          a file of the store is not what was written
    ├── StoreTooNew           a newer nightjar wrote the store
    ├── LakeTaken             another desk writes to this lake
    ├── LedgerConflict        a night would replace what the ledger holds of it
    ├── QueryRefused          SQL that does more than read the store
    ├── NothingStored         a question about data that is not there
    ├── ClusterDiffers        workers without this nightjar, or that calculate otherwise
    ├── JobLost               whatever ran a job died, each time
    ├── InvalidInput          a parameter, file or span a person gave is wrong
    │   └── StrategySyntaxError   with line, column and what was expected
    └── SettingsError         a setting is unknown or out of range
        └── KeyMissing        a source gives nothing without a key, and none is set

Whether to retry is read from the type, never from a message. Errors carry what
they speak of as fields, so that a program need not parse their text. They can be pickled: what
a worker process raises arrives as what it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


class NightjarError(Exception):
    """The root: whatever nightjar raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as text and fields: `__init__` takes neither, so that it must not run again."""
        return type(self).__new__, (type(self), *self.args), self.__dict__


class RetryableError(NightjarError):
    """The same call may succeed later."""


class FinalError(NightjarError):
    """The same call cannot succeed; something must change first."""


class SourceUnavailable(RetryableError):
    """A source gave no usable answer this time."""

    def __init__(self, source: str, reason: str, *, status: int | None = None) -> None:
        super().__init__(f"{source} is unavailable: {reason}")
        self.source = source
        self.reason = reason
        self.status = status


class RateLimited(SourceUnavailable):
    """A source asks us to wait; `retry_after` is in seconds, None where it did not say."""

    def __init__(self, source: str, *, status: int, retry_after: float | None) -> None:
        wait = "it did not say how long" if retry_after is None else f"for {retry_after:g} s"
        super().__init__(source, f"it asked us to wait, {wait} (HTTP {status})", status=status)
        self.retry_after = retry_after


class SourceResting(SourceUnavailable):
    """Nothing is sent to a source for `retry_after` seconds, since it kept failing."""

    def __init__(self, source: str, *, retry_after: float) -> None:
        super().__init__(source, f"it kept failing and rests for {retry_after:.0f} s more")
        self.retry_after = retry_after


class CollectionIncomplete(RetryableError):
    """A collection ended without all that it was asked for; the rest is stored."""

    def __init__(self, source: str, missing: list[str]) -> None:
        super().__init__(f"{source} did not give everything; still missing: {'; '.join(missing)}")
        self.source = source
        self.missing = missing


class StoreBusy(RetryableError):
    """The store could not be had within the bounded wait."""

    def __init__(self, what: str, *, waited: float, holder: str = "another process") -> None:
        super().__init__(f"{what} is held by {holder}; waited {waited:g} s")
        self.what = what
        self.waited = waited
        self.holder = holder


class StoreUnwritable(RetryableError):
    """A file of the store could not be written; what was there before still is."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} cannot be written: {reason}")
        self.path = path
        self.reason = reason


class LakeUnavailable(RetryableError):
    """The object store that holds the lake does not answer, or refuses the credentials."""

    def __init__(self, lake: str, reason: str) -> None:
        super().__init__(f"the lake at {lake} cannot be reached: {reason}")
        self.lake = lake
        self.reason = reason


class ClusterUnavailable(RetryableError):
    """No Dask cluster can be worked with at `address` within a bounded time."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"the cluster at {address} is unavailable: {reason}")
        self.address = address
        self.reason = reason


class SourceRejected(FinalError):
    """A source understood the request and refused it (4xx)."""

    def __init__(self, source: str, status: int, message: str) -> None:
        super().__init__(f"{source} refused the request (HTTP {status}): {message}")
        self.source = source
        self.status = status


class SourceMalformed(FinalError):
    """An answer or file does not have the documented form."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source} sent something unexpected: {reason}")
        self.source = source
        self.reason = reason


class SourceStalled(FinalError):
    """A page does not advance beyond the one before it."""

    def __init__(self, source: str, cursor: str) -> None:
        super().__init__(f"{source} repeats itself: the page after {cursor} does not advance")
        self.source = source
        self.cursor = cursor


class SourceOutOfReach(FinalError):
    """A source keeps only so much history, and what was asked for lies before it.

    `earliest` is the first moment that it still has.
    """

    def __init__(self, source: str, what: str, earliest: datetime) -> None:
        super().__init__(
            f"{source} has nothing before {earliest:%Y-%m-%dT%H:%M:%SZ}, was asked for {what}"
        )
        self.source = source
        self.earliest = earliest


class ContractBroken(FinalError):
    """A frame's columns or types are not those of its dataset."""

    def __init__(self, dataset: str, reason: str) -> None:
        super().__init__(f"not a batch of {dataset}: {reason}")
        self.dataset = dataset
        self.reason = reason


class GateRefused(FinalError):
    """A batch failed its suite; nothing of it went on."""

    def __init__(self, dataset: str, reason: str, *, rows: int = 0, quarantined: int = 0) -> None:
        super().__init__(f"the gate refused a batch of {dataset}: {reason}")
        self.dataset = dataset
        self.reason = reason
        self.rows = rows
        self.quarantined = quarantined


class StoreDamaged(FinalError):
    """A file of the store cannot be read as what was written."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} is damaged: {reason}")
        self.path = path
        self.reason = reason


class StoreTooNew(FinalError):
    """A newer nightjar changed the store in ways that this one does not know."""

    def __init__(self, path: str, *, version: int, known: int) -> None:
        super().__init__(
            f"{path} was written by a newer nightjar: expected version {known} or older, "
            f"was {version}"
        )
        self.path = path
        self.version = version
        self.known = known


class LakeTaken(FinalError):
    """The newest commit of a table of the lake is not this desk's: two desks write to one lake."""

    def __init__(self, table: str, *, owner: str) -> None:
        super().__init__(
            f"{table} was last written by {owner}, expected this desk; one lake has one desk "
            "that writes to it. `nightjar doctor --own-lake` makes this desk the one, and stops "
            "the other"
        )
        self.table = table
        self.owner = owner


class LedgerConflict(FinalError):
    """A night's trials are in the ledger already, and are not these."""

    def __init__(self, night: str, *, expected: str, was: str) -> None:
        super().__init__(
            f"the ledger already holds other trials of night {night}: expected the digest "
            f"{expected}, was {was}; rows are only ever added"
        )
        self.night = night
        self.expected = expected
        self.was = was


class QueryRefused(FinalError):
    """A query does not run: it is wrong, or it does more than read the store."""


class NothingStored(FinalError):
    """The data a question needs is not in the store."""


class ClusterDiffers(FinalError):
    """Workers of a cluster would not give the results that this process gives."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"the cluster at {address} cannot do this work: {reason}")
        self.address = address
        self.reason = reason


class JobLost(FinalError):
    """A piece of work never came back; `job` is its name."""

    def __init__(self, job: str, reason: str) -> None:
        super().__init__(f"{job} was lost: {reason}")
        self.job = job
        self.reason = reason


class InvalidInput(FinalError, ValueError):
    """Something a person gave is wrong; the text says what was expected."""


class StrategySyntaxError(InvalidInput):
    """A strategy's text is wrong at `line` and `column` (both from 1)."""

    def __init__(self, line: int, column: int, *, expected: str, was: str) -> None:
        super().__init__(f"line {line}, column {column}: expected {expected}, was {was}")
        self.line = line
        self.column = column
        self.expected = expected
        self.was = was


class SettingsError(FinalError):
    """A setting is unknown, or its value is not one it can have."""


class KeyMissing(SettingsError):
    """A source gives nothing without a key; `setting` is where one belongs."""

    def __init__(self, source: str, setting: str) -> None:
        variable = f"NIGHTJAR_{setting.replace('.', '__').upper()}"
        super().__init__(f"{source} needs a key: set {setting} (or {variable})")
        self.source = source
        self.setting = setting
