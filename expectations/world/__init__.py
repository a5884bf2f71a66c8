"""Suites of what is quoted beyond venues."""
