"""The tables of a run, one module each: it sets ``TABLE``."""
