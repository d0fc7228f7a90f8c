"""Which results should not be trusted as they are: a file for each flag, found by lying here."""
