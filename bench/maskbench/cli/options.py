"""The options of subcommands, each declared once: what means the same has the same words in every help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_PLUGIN = "NAME or NAME:parameter=value,…"
_MANY = f"{_PLUGIN}; may be repeated. Replaces the suite's; +NAME is added to them."
_SHARE = "Share hidden, 0 to 1"

# The panels of a help, in which options stand together.
DATA_PANEL = "Data"
RUN_PANEL = "What is run"
EXECUTION_PANEL = "How it is run"
RESULTS_PANEL = "Results"

DataSource = Annotated[
    str | None,
    typer.Option(
        "--data",
        help="Built-in name, folder of classes, folder of Parquet files, or hf:NAME.",
        metavar="SOURCE",
        rich_help_panel=DATA_PANEL,
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        help="Label column that the recognizer learns. Default: the source's own, or the first.",
        metavar="COLUMN",
        rich_help_panel=DATA_PANEL,
    ),
]
Sensitive = Annotated[
    str | None,
    typer.Option(
        help="Label column to protect: attackers infer it, and no release has it.",
        metavar="COLUMN",
        rich_help_panel=DATA_PANEL,
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        help="Labels of a folder of images: the file's name, then any columns.",
        metavar="FILE.csv",
        rich_help_panel=DATA_PANEL,
    ),
]
Bins = Annotated[
    list[str] | None,
    typer.Option(
        "--bins",
        help="Make classes of a column of numbers, such as age=18,40,65; may be repeated.",
        metavar="COLUMN=N,N,…",
        rich_help_panel=DATA_PANEL,
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        help="Take the centre square, scaled to this side in pixels. Needed where sizes differ and a network learns.",
        metavar="PX",
        rich_help_panel=DATA_PANEL,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(help="Use at most this many images, spread over all.", metavar="N", rich_help_panel=DATA_PANEL),
]
Methods = Annotated[
    list[str] | None,
    typer.Option("--method", "-m", help=_MANY, metavar="METHOD", rich_help_panel=RUN_PANEL),
]
OneMethod = Annotated[
    str | None, typer.Option("--method", "-m", help=f"{_PLUGIN}.", metavar="METHOD", rich_help_panel=RUN_PANEL)
]
ReleaseOf = Annotated[
    Path | None,
    typer.Option(
        "--release",
        help="Measure the method of a release: the manifest.json of `maskbench desensitize`. Name its raw images with "
        "--data.",
        metavar="MANIFEST",
        rich_help_panel=RUN_PANEL,
    ),
]
Attacks = Annotated[
    list[str] | None,
    typer.Option("--attack", "-a", help=_MANY, metavar="ATTACK", rich_help_panel=RUN_PANEL),
]
RecognizerName = Annotated[
    str | None,
    typer.Option(
        "--recognizer",
        help=f"{_PLUGIN}; see `maskbench list recognizers`.",
        metavar="RECOGNIZER",
        rich_help_panel=RUN_PANEL,
    ),
]
Ratios = Annotated[
    list[float] | None,
    typer.Option(
        "--ratio", help=f"{_SHARE}; may be repeated. Replaces the suite's.", metavar="SHARE", rich_help_panel=RUN_PANEL
    ),
]
OneRatio = Annotated[
    float | None, typer.Option("--ratio", help=f"{_SHARE}.", metavar="SHARE", rich_help_panel=RUN_PANEL)
]
Seeds = Annotated[
    int | None,
    typer.Option(
        help="How many seeds; 3 means 0, 1 and 2. Replaces the suite's.", metavar="N", rich_help_panel=RUN_PANEL
    ),
]
FirstSeed = Annotated[
    int | None,
    typer.Option(
        "--first-seed",
        help="Count the seeds up from this one, for a rerun under other seeds.",
        metavar="SEED",
        rich_help_panel=RUN_PANEL,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        envvar="MASKBENCH_JOBS",
        help="Stages at work at once, each in a process of its own; 0: in this process, for debuggers. Default: as "
        "many as there are cores and room in memory; 1 on a GPU. Results are the same.",
        metavar="N",
        rich_help_panel=EXECUTION_PANEL,
    ),
]
ExclusiveTiming = Annotated[
    bool,
    typer.Option(
        "--exclusive-timing",
        help="Run the stages whose time is reported, those of methods and attacks, alone.",
        rich_help_panel=EXECUTION_PANEL,
    ),
]
Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda or cuda:N.", metavar="DEVICE", rich_help_panel=EXECUTION_PANEL)
]
Precision = Annotated[
    str,
    typer.Option(
        "--precision",
        help="Of training on a GPU: bfloat16, tf32 or float32. All else is float32, as everything on the CPU.",
        metavar="PRECISION",
        rich_help_panel=EXECUTION_PANEL,
    ),
]
Deterministic = Annotated[
    bool,
    typer.Option(
        "--deterministic",
        help="On a GPU: the same bits again, by slower kernels; what has none fails. The CPU always repeats itself.",
        rich_help_panel=EXECUTION_PANEL,
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        help="A Python file of plug-ins, such as methods; may be repeated.",
        metavar="FILE.py",
        rich_help_panel=RUN_PANEL,
    ),
]
Require = Annotated[
    list[str] | None,
    typer.Option(
        help="A limit to be met, such as 'accuracy>=80' or 'advantage<=10'; may be repeated.",
        metavar="METRIC[@METHOD]>=NUMBER",
        rich_help_panel=RESULTS_PANEL,
    ),
]
Pictures = Annotated[
    bool,
    typer.Option(
        "--pictures/--no-pictures",
        help="Keep a few example images, raw ones too, in the results.",
        rich_help_panel=RESULTS_PANEL,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="Folder for the results. Default: runs/SUITE-DATE.", metavar="FOLDER", rich_help_panel=RESULTS_PANEL
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        help="Make the stages on a Ray cluster: auto, HOST:PORT, or local. Its machines must share the store.",
        metavar="ADDRESS",
        rich_help_panel=EXECUTION_PANEL,
    ),
]
GpusPerStage = Annotated[
    float | None,
    typer.Option(
        help="GPUs of the cluster for each stage; 0.25 lets four stages share one.",
        metavar="N",
        rich_help_panel=EXECUTION_PANEL,
    ),
]
ShardOf = Annotated[
    str | None,
    typer.Option(
        "--shard",
        help="Run the I-th of N parts of the suite alone, for job arrays; `maskbench merge` joins their results.",
        metavar="I/N",
        rich_help_panel=EXECUTION_PANEL,
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Show cautions, flags, times and why cells are missing as well.",
        rich_help_panel=RESULTS_PANEL,
    ),
]
StoreFolder = Annotated[
    Path | None,
    typer.Option(
        "--store",
        envvar="MASKBENCH_STORE",
        help="Folder of stored artifacts. Default: the user's cache folder.",
        metavar="FOLDER",
        rich_help_panel=RESULTS_PANEL,
    ),
]


def load_plugins(files: list[Path] | None) -> None:
    """Load the files given by ``--plugin``."""
    from maskbench.plugins.files import add_file

    for path in files or []:
        add_file(path)
