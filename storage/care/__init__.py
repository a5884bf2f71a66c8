"""What looks after the store: examine it, mend it, rebuild a tier from the others, copy it."""
