"""The compiled engine: it looks only where something can happen. docs/engine.md explains it."""
