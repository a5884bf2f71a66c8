"""What we keep: landing, hot (DuckDB), cold (Delta Lake), and SQL over both."""
