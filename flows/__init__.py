"""The flows: each reads as prose and holds no logic that could be unit-tested."""
