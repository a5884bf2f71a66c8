"""The engines of others, each run by the Python of `.venv-bench`; nothing here imports nightjar."""
