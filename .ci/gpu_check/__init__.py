"""The check of a machine with a GPU: parts that fail apart, each in a process of its own, in order of their worth."""
