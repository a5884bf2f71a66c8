"""Pure computation: indicators, the strategy language, engine, statistics; no I/O, no clock."""
