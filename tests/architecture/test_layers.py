"""Imports go down the layers of the engine, never up and never in a circle; plug-ins import maskbench alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from imports import imported, module_graph, modules
from trees import CHECKOUT

ENGINE = CHECKOUT / "bench" / "maskbench"
TEMPLATES = ENGINE / "conformance" / "templates"
PLUGINS = [
    *sorted((CHECKOUT / "methods").rglob("*.py")),
    *sorted((CHECKOUT / "attacks").rglob("*.py")),
    *sorted(file for file in TEMPLATES.glob("*.py") if not file.name.startswith("check_")),
]

FACADE = "maskbench"
"""The root of the package: what users and plug-ins import. The engine itself names the module that it means."""

LAYERS = (
    ("__main__",),
    ("cli", "pytest_plugin"),
    (FACADE,),
    ("running", "auditing", "merging", "runs", "by_name"),
    ("report", "gate", "audit", "releasing", "conformance"),
    ("runfolder",),
    ("results",),
    ("executors",),
    ("planning",),
    ("stages",),
    ("plugins",),
    (
        *("data", "models", "training", "attributions", "metrics", "artifacts", "worlds", "executors.hardware"),
        # What every plug-in is, and how it is found: contracts of lower parts build on it too.
        # What is pinned around stages is pinned around the import of a plug-in.
        *("executors.functions", "executors.pinned"),
        *("plugins.base", "plugins.catalogue", "plugins.files", "plugins.imports", "plugins.index", "plugins.kinds"),
        *("plugins.names", "plugins.reserved"),
    ),
)
"""Highest first. The other modules at the root of the package, of which every part may make use, lie lowest."""

LOWEST = len(LAYERS)


def _engine() -> dict[str, Path]:
    files = modules(ENGINE, FACADE)
    return {name: file for name, file in files.items() if TEMPLATES not in file.parents}


def part(module: str) -> str:
    """The part of the engine that a module belongs to: ``maskbench.report.tables`` → ``report``."""
    below = module.split(".")[1:]
    named = ".".join(below[:2])
    if not below or any(named in layer for layer in LAYERS):
        return named or FACADE
    return below[0]


def level(name: str) -> int:
    """How far down a part lies; a package that is in no layer is an error."""
    for number, layer in enumerate(LAYERS):
        if name in layer:
            return number
    assert not (ENGINE / name).is_dir(), f"{name}/ is in no layer: say in LAYERS where it belongs"
    return LOWEST


def circle(graph: Mapping[str, frozenset[str]]) -> str:
    """A circle of a graph as ``a → b → a``, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " → ".join(error.args[1])
    return ""


def _grouped(graph: Mapping[str, frozenset[str]], group: Callable[[str], str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for module, targets in graph.items():
        found.setdefault(group(module), set()).update(map(group, targets))
    return {name: frozenset(targets - {name}) for name, targets in found.items()}


def upward(graph: Mapping[str, frozenset[str]]) -> list[str]:
    """The imports that go up, as ``module → module``."""
    return [
        f"{module} → {target}"
        for module, targets in sorted(graph.items())
        for target in sorted(targets)
        if level(part(target)) < level(part(module))
    ]


def test_no_import_goes_up() -> None:
    assert upward(module_graph(_engine(), FACADE)) == []


def test_no_parts_import_each_other_in_a_circle() -> None:
    assert circle(_grouped(module_graph(_engine(), FACADE), part)) == ""


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(_grouped(module_graph(_engine(), FACADE), str)) == ""


def test_plug_ins_import_maskbench_alone() -> None:
    """No submodule of the engine and no other plug-in; nor does a file that ``maskbench new`` writes.

    What a family shares lies beside it, in a module whose name starts with an underscore.
    """
    deeper = {}
    for file in PLUGINS:
        names = {name for name in imported(file, FACADE) if name.count(".") > 1}
        names |= imported(file, "methods") | imported(file, "attacks")
        if names:
            deeper[str(file.relative_to(CHECKOUT))] = sorted(names)
    assert deeper == {}


def test_the_engine_names_no_method_and_no_attack() -> None:
    named = {}
    for module, file in _engine().items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        texts = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        found = [
            text for text in [*texts, *imported(file, FACADE)] if re.search(r"maskbench\.(methods|attacks)\.\w", text)
        ]
        if found:
            named[module] = found
    # The folder of adjustments is one of those that are searched.
    assert named == {"maskbench.plugins.kinds": ["maskbench.methods.adjustments"]}


def test_layers_name_nothing_twice() -> None:
    names = [name for layer in LAYERS for name in layer]
    assert len(names) == len(set(names))


def test_what_goes_up_or_round_is_found(tmp_path: Path) -> None:
    """In a function or for type checkers too, and whichever way the import is written."""
    sources = {
        "stages/low.py": "def late():\n    from maskbench.report.high import name\n",
        "report/high.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import maskbench.cli.main\n",
        "cli/main.py": "from maskbench.stages import low\nfrom maskbench import Release\n",
        "executors/local.py": "from maskbench.executors import hardware\n",
        "executors/hardware.py": "",
        "metrics/image.py": "from maskbench.executors.hardware import Meter\n",
        "__init__.py": "",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    graph = module_graph(modules(tmp_path, FACADE), FACADE)
    assert upward(graph) == [
        "maskbench.report.high → maskbench.cli.main",
        "maskbench.stages.low → maskbench.report.high",
    ]
    assert set(circle(_grouped(graph, part)).split(" → ")) == {"stages", "report", "cli"}
    modules_of_it = {"maskbench.stages.low", "maskbench.report.high", "maskbench.cli.main"}
    assert set(circle(_grouped(graph, str)).split(" → ")) == modules_of_it
