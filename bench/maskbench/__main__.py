"""``python -m maskbench`` is the ``maskbench`` command, for a checkout that is not installed."""

from __future__ import annotations

from maskbench.cli.main import main

if __name__ == "__main__":
    main()
