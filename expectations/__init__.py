"""The gates: one suite per dataset, and gate.py that runs them."""
