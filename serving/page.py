"""Render a template to a page that is whole in itself: no script, no network, no second file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from serving import words
from serving.style import FONT, PALETTE

_TEMPLATES = Path(__file__).parent / "templates"
_WORDS = (
    *("about", "bps", "capitalised", "completeness", "count", "decimal", "figure", "moment"),
    *("odds", "percent", "plural", "seconds", "share"),
)


def render(template: str, **values: Any) -> str:
    """Fill `template`; what is not marked as our own markup is escaped."""
    return _environment().get_template(template).render(**values)


def markup(svg: str) -> Markup:
    """Mark a chart as markup of our own, which a template leaves as it is."""
    return Markup(svg)  # noqa: S704 - made by serving.charts, where Vega escapes every text


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(words, name) for name in _WORDS}
    environment.globals |= {"palette": PALETTE, "font": markup(FONT)}
    return environment
