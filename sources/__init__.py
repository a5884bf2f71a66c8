"""The outside world in: one file per venue or provider."""
