"""The steps: thin Prefect tasks over the rooms below."""
