"""Restoration and inference attacks: one file a family, found by lying here."""
