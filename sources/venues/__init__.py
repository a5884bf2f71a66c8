"""Exchanges over REST: one file each."""
