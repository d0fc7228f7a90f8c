"""From the outcomes of a run to its tables: metrics with intervals, strongest attacks, and what is written down."""
