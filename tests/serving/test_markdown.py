from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from serving.markdown import block, escape, table


@given(st.text())
def test_a_cell_can_neither_end_its_row_nor_its_column(text: str) -> None:
    lines = table([("name", [text]), ("other", ["x"])]).split("\n")
    assert len(lines) == 3
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", lines[2])) == 3


@given(st.text())
def test_escaped_text_opens_no_tag_and_no_link(text: str) -> None:
    plain = escape(text)
    assert "<" not in plain
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]`*_]", plain)


@given(st.text(alphabet="`~ a\n", max_size=30))
def test_a_block_is_ended_by_its_own_fence_only(text: str) -> None:
    first, *inside, last = block(text).split("\n")
    assert first == last
    assert set(first) == {"`"}
    assert all(not line.strip().startswith(first) for line in inside)


def test_words_stay_readable() -> None:
    assert escape("BTC-USDT reached +3.4 % & more") == "BTC-USDT reached +3.4 % &amp; more"
