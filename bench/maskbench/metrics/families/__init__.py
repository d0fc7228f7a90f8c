"""The metrics that are reported, a file for each family: adding one is adding it to its family's tuple."""
