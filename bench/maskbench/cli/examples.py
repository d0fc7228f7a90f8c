"""Examples of every command, as its help shows them."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        "run quick",
        "run quick -m random:patch=2 -a telea --ratio 0.5 --ratio 0.75",
        "run standard --data FOLDER --size 64 --device cuda",
        "run standard --plan",
    ),
    "merge": ("merge runs/a-shard-1-of-2 runs/a-shard-2-of-2 --out runs/a",),
    "report": ("report runs/mine",),
    "compare": (
        "compare results/baseline/ci runs/mine",
        "compare results/baseline/ci runs/mine --require 'accuracy>=80'",
    ),
    "baseline update": ("baseline update runs/mine --reason 'Patches of 2 px'",),
    "audit": ("audit raw released --out runs/audit",),
    "verify": ("verify runs/mine", "verify results/paper/utkface64 runs/mine"),
    "leaderboard": ("leaderboard results --out site",),
    "list": ("list", "list methods", "list attacks --names"),
    "new": ("new method my-method", "new attack my-attack"),
    "check": ("check random", "check my_method.py"),
    "desensitize": ("desensitize photos released --method random:ratio=0.5",),
    "why": ("why 9873d311",),
    "store size": ("store size",),
    "store prune": ("store prune --older-than 30d --dry-run",),
    "store verify": ("store verify --repair",),
}
"""Command → what may be typed after ``maskbench``."""


def epilog(command: str) -> str:
    """The examples of a command as the end of its help."""
    # The help joins lines that no empty line divides.
    return "\n\n".join(("Examples:", *(f"  maskbench {example}" for example in EXAMPLES[command])))
