"""Comparing two runs: is the second worse, by how much, and how sure is that."""
