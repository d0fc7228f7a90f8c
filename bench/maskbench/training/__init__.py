"""Training loops: one for classifiers, one for restorers, and what both share."""
