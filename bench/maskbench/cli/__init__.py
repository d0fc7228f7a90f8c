"""The ``maskbench`` command: one file a subcommand. Heavy imports happen inside the commands that need them."""
