import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.once import OncePerBytes


def counting() -> tuple[OncePerBytes[str], list[bytes]]:
    seen: list[bytes] = []

    def text(data: bytes) -> str:
        seen.append(data)
        return data.decode()

    return OncePerBytes(text), seen


def test_equal_bytes_are_decoded_once_even_where_they_are_copies() -> None:
    decoded, seen = counting()
    first = decoded(b"abc")
    assert decoded(b"abc") is first
    assert decoded(bytes(bytearray(b"abc"))) is first
    assert seen == [b"abc"]


def test_other_bytes_are_decoded_and_take_the_place() -> None:
    decoded, seen = counting()
    assert [decoded(data) for data in (b"a", b"b", b"a")] == ["a", "b", "a"]
    assert seen == [b"a", b"b", b"a"]


def test_threads_that_ask_at_once_share_one_decoding() -> None:
    started, decoded_by = threading.Barrier(4), []

    @OncePerBytes
    def decoded(data: bytes) -> str:
        decoded_by.append(threading.get_ident())
        return data.decode()

    def ask(_: int) -> str:
        started.wait(10)
        return decoded(b"abc")

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(4))) == {"abc"}
    assert len(decoded_by) == 1


def test_what_failed_is_tried_again() -> None:
    failing = [True]

    @OncePerBytes
    def decoded(data: bytes) -> str:
        if failing.pop():
            raise ValueError(data)
        return data.decode()

    with pytest.raises(ValueError, match="abc"):
        decoded(b"abc")
    failing.append(False)
    assert decoded(b"abc") == "abc"
