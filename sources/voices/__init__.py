"""Providers of what people say: networks, and who counts what is said there."""
