"""Words, numbers and signs of a strategy's text, each with the place it stands at."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from core.errors import StrategySyntaxError

if TYPE_CHECKING:
    from collections.abc import Collection

LONGEST_TEXT = 20_000  # characters

_TOKEN = re.compile(
    r"""
      (?P<space> \s+ | \#[^\n]* )
    | (?P<duration> [0-9]+ [smhdwSMHDW] (?![A-Za-z0-9_.]) )
    | (?P<number> (?: [0-9]+ (?: \.[0-9]* )? | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? (?![A-Za-z0-9_.]) )
    | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
    | (?P<sign> <= | >= | [-<>+*/(),%] )
    | (?P<wrong> [=!&|]+ | [0-9.][A-Za-z0-9_.]* | . )
    """,
    re.VERBOSE,
)

_INSTEAD = {
    "=": "<, >, <= or >=",
    "==": "<, >, <= or >=",
    "!=": "<, >, <= or >=",
    "&": "and",
    "&&": "and",
    "|": "or",
    "||": "or",
    "!": "not",
}


class Token(NamedTuple):
    """A piece of the text; words are in lower case, the last token is of kind `end`."""

    kind: str
    text: str
    line: int
    column: int

    def described(self) -> str:
        """Say what stands here, for an error."""
        if self.kind == "end":
            return "the end of the text"
        return f"'{self.text}'" if len(self.text) <= 40 else f"'{self.text[:37]}...'"

    def wrong(self, expected: str, was: str | None = None) -> StrategySyntaxError:
        """Return the error that something else was expected at this place."""
        return StrategySyntaxError(
            self.line, self.column, expected=expected, was=was or self.described()
        )


def tokenize(text: str) -> list[Token]:
    """Cut a text into tokens; white space, line ends and `#` comments only separate them.

    Raises:
        StrategySyntaxError: The text is too long, or holds a sign that the language has not.
    """
    if len(text) > LONGEST_TEXT:
        expected = f"a text of at most {LONGEST_TEXT} characters"
        raise StrategySyntaxError(1, 1, expected=expected, was=f"{len(text)} characters")
    tokens = []
    line, start_of_line = 1, 0
    for found in _TOKEN.finditer(text):
        kind, piece = str(found.lastgroup), found[0]
        token = Token(kind, piece.lower(), line, found.start() - start_of_line + 1)
        if kind == "wrong":
            raise _wrong_sign(token, piece)
        if kind != "space":
            tokens.append(token)
        elif "\n" in piece:
            line += piece.count("\n")
            start_of_line = found.start() + piece.rindex("\n") + 1
    return [*tokens, Token("end", "", line, len(text) - start_of_line + 1)]


def nearest(name: str, known: Collection[str]) -> str:
    """Return ` (did you mean …?)` where a known name is near, else nothing."""
    # Imported late: it is needed for errors only, and takes longer than parsing does.
    from difflib import get_close_matches  # noqa: PLC0415

    near = get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def plain(number: Decimal | float) -> str:
    """Write a number in its one spelling: no exponent, no zero that says nothing, no -0."""
    text = format(number if isinstance(number, Decimal) else Decimal(repr(number + 0.0)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _wrong_sign(token: Token, piece: str) -> StrategySyntaxError:
    if piece[0] in "0123456789.":
        return token.wrong("a number such as 14 or 0.5, or a duration such as 15m")
    return token.wrong(_INSTEAD.get(piece, "a word, a number or one of < > <= >= + - * / ( ) , %"))
