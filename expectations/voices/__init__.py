"""Suites of what people say."""
