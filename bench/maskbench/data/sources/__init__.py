"""One class a source, found by lying here; each extends `maskbench.data.source.Source`."""
