"""Bars from a person's own files: any common shape, nothing guessed in silence."""

from sources.files.reader import Reading, read_file

__all__ = ["Reading", "read_file"]
