"""Providers beyond venues: aggregators, decentralised exchanges, chains, stock indices."""
