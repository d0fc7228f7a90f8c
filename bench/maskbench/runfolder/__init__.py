"""The run folder: the one place that writes and reads what a run leaves."""
