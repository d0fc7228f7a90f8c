"""Networks: recognizers (found by name) and the restorer."""
