"""The parts: a module each, with ``measure(job, notes)``."""
