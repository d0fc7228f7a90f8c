"""Worker processes: a driver hands out the steps of a plan, and what a plug-in does to its process is a failed cell."""
