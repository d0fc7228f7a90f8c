"""The report as one page: ``report.html``, which needs neither network nor any file beside it."""
