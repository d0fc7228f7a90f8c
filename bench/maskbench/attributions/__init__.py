"""Attribution algorithms: one file a family, found by lying here."""
