"""Applying a method to a user's own images: ``maskbench desensitize SRC DST``."""
