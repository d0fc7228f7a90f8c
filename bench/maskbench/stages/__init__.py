"""Stages: the shared pieces of work that a run is made of, one file each."""
