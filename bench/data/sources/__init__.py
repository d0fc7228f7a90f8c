"""One module a source, found by lying here; each offers `bench.data.source.SourceModule`."""
