"""One module a source, found by lying here; each offers `maskbench.data.source.SourceModule`."""
