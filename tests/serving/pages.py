"""Reading a page back as a browser would."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "hr", "input"}
REFERRING = {"src", "href", "xlink:href", "srcset", "action", "poster", "data"}


class Page(HTMLParser):
    """A parsed page: its elements, what they refer to, their text, and whether they nest."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.handlers: list[str] = []
        self.texts: list[str] = []
        self.blocks: list[str] = []
        self.styles: list[str] = []
        self._open: list[str] = []
        self.badly_nested: list[str] = []
        self.feed(html)
        self.close()
        self.badly_nested += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in REFERRING:
                self.references.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "id":
                self.ids.append(value or "")
            if name == "style":
                self.styles.append(value or "")
        if tag not in VOID:
            self._open.append(tag)
        if tag == "pre":
            self.blocks.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.badly_nested.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.styles.append(data)
            return
        self.texts.append(data)
        if "pre" in self._open:
            self.blocks[-1] += data

    @property
    def text(self) -> str:
        """What a reader sees, with single spaces."""
        return " ".join(" ".join(self.texts).split())

    @property
    def loads(self) -> list[str]:
        """What a browser would fetch: references and style sheets' urls beyond the page."""
        urls = [url for style in self.styles for url in re.findall(r"url\(([^)]*)\)", style)]
        urls += [style for style in self.styles if "@import" in style]
        beyond = [one for one in self.references + urls if not one.startswith(("#", "data:"))]
        return [one for one in beyond if one]
