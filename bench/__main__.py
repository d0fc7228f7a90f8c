"""``python -m bench`` is the ``maskbench`` command, for a checkout that is not installed."""

from __future__ import annotations

from bench.cli.main import main

if __name__ == "__main__":
    main()
