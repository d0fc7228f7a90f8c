"""From the outcomes of a run to its tables: metrics with intervals, worst cases, and what is written down."""
