"""The figures of a run, a module each or a few: it sets ``FIGURES``."""
