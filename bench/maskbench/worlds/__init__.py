"""Worlds with a known optimum: pictures whose distribution is known, so that the best possible attack is known too."""
