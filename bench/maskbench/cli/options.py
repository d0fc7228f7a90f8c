"""The options of subcommands, each declared once: what means the same has the same words in every help."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

_PLUGIN = "NAME or NAME:parameter=value,…"
_MANY = f"{_PLUGIN}; may be repeated. Replaces the suite's; +NAME is added to them."
_SHARE = "Share hidden, 0 to 1"

# In a help, options stand together by what they are about.
about_data = partial(typer.Option, rich_help_panel="Data")
about_what_is_run = partial(typer.Option, rich_help_panel="What is run")
about_how_it_is_run = partial(typer.Option, rich_help_panel="How it is run")
about_results = partial(typer.Option, rich_help_panel="Results")

DataSource = Annotated[
    str | None,
    about_data(
        "--data", help="Built-in name, folder of classes, folder of Parquet files, or hf:NAME.", metavar="SOURCE"
    ),
]
Target = Annotated[
    str | None,
    about_data(
        help="Label column that the recognizer learns. Default: the source's own, or the first.", metavar="COLUMN"
    ),
]
Sensitive = Annotated[
    str | None,
    about_data(help="Label column to protect: attackers infer it, and no release has it.", metavar="COLUMN"),
]
Labels = Annotated[
    Path | None,
    about_data("--labels", help="Labels of a folder of images: the file's name, then any columns.", metavar="FILE.csv"),
]
Bins = Annotated[
    list[str] | None,
    about_data(
        "--bins",
        help="Make classes of a column of numbers, such as age=18,40,65; may be repeated.",
        metavar="COLUMN=N,N,…",
    ),
]
Size = Annotated[
    int | None,
    about_data(
        help="Take the centre square, scaled to this side in pixels. Needed where sizes differ and a network learns.",
        metavar="PX",
    ),
]
Limit = Annotated[
    int | None,
    about_data(help="Use at most this many images, spread over all.", metavar="N"),
]
Methods = Annotated[
    list[str] | None,
    about_what_is_run("--method", "-m", help=_MANY, metavar="METHOD"),
]
OneMethod = Annotated[str | None, about_what_is_run("--method", "-m", help=f"{_PLUGIN}.", metavar="METHOD")]
ReleaseOf = Annotated[
    Path | None,
    about_what_is_run(
        "--release",
        help="Measure the method of a release: the manifest.json of `maskbench desensitize`. Name its raw images with "
        "--data.",
        metavar="MANIFEST",
    ),
]
Attacks = Annotated[
    list[str] | None,
    about_what_is_run("--attack", "-a", help=_MANY, metavar="ATTACK"),
]
RecognizerName = Annotated[
    str | None,
    about_what_is_run("--recognizer", help=f"{_PLUGIN}; see `maskbench list recognizers`.", metavar="RECOGNIZER"),
]
Ratios = Annotated[
    list[float] | None,
    about_what_is_run("--ratio", help=f"{_SHARE}; may be repeated. Replaces the suite's.", metavar="SHARE"),
]
OneRatio = Annotated[float | None, about_what_is_run("--ratio", help=f"{_SHARE}.", metavar="SHARE")]
Seeds = Annotated[
    int | None,
    about_what_is_run(help="How many seeds; 3 means 0, 1 and 2. Replaces the suite's.", metavar="N"),
]
FirstSeed = Annotated[
    int | None,
    about_what_is_run(
        "--first-seed", help="Count the seeds up from this one, for a rerun under other seeds.", metavar="SEED"
    ),
]
Jobs = Annotated[
    int | None,
    about_how_it_is_run(
        "--jobs",
        envvar="MASKBENCH_JOBS",
        help="Stages at work at once, each in a process of its own; 0: in this process, for debuggers. Default: as "
        "many as there are cores and room in memory; 1 on a GPU. Results are the same.",
        metavar="N",
    ),
]
ExclusiveTiming = Annotated[
    bool,
    about_how_it_is_run(
        "--exclusive-timing", help="Run the stages whose time is reported, those of methods and attacks, alone."
    ),
]
Device = Annotated[str, about_how_it_is_run(help="auto, cpu, cuda or cuda:N.", metavar="DEVICE")]
Precision = Annotated[
    str,
    about_how_it_is_run(
        "--precision",
        help="Of training on a GPU: bfloat16, tf32 or float32. All else is float32, as everything on the CPU.",
        metavar="PRECISION",
    ),
]
Deterministic = Annotated[
    bool,
    about_how_it_is_run(
        "--deterministic",
        help="On a GPU: the same bits again, by slower kernels; what has none fails. The CPU always repeats itself.",
    ),
]
Plugins = Annotated[
    list[Path] | None,
    about_what_is_run(
        "--plugin", help="A Python file of plug-ins, such as methods; may be repeated.", metavar="FILE.py"
    ),
]
Require = Annotated[
    list[str] | None,
    about_results(
        help="A limit to be met, such as 'accuracy>=80' or 'advantage<=10'; may be repeated.",
        metavar="METRIC[@METHOD]>=NUMBER",
    ),
]
Pictures = Annotated[
    bool,
    about_results("--pictures/--no-pictures", help="Keep a few example images, raw ones too, in the results."),
]
Out = Annotated[
    Path | None,
    about_results(help="Folder for the results. Default: runs/SUITE-DATE.", metavar="FOLDER"),
]
RayAddress = Annotated[
    str | None,
    about_how_it_is_run(
        "--ray",
        help="Make the stages on a Ray cluster: auto, HOST:PORT, or local. Its machines must share the store.",
        metavar="ADDRESS",
    ),
]
GpusPerStage = Annotated[
    float | None,
    about_how_it_is_run(help="GPUs of the cluster for each stage; 0.25 lets four stages share one.", metavar="N"),
]
ShardOf = Annotated[
    str | None,
    about_how_it_is_run(
        "--shard",
        help="Run the I-th of N parts of the suite alone, for job arrays; `maskbench merge` joins their results.",
        metavar="I/N",
    ),
]
Verbose = Annotated[
    bool,
    about_results("--verbose", "-v", help="Show cautions, flags, times and why cells are missing as well."),
]
StoreFolder = Annotated[
    Path | None,
    about_results(
        "--store",
        envvar="MASKBENCH_STORE",
        help="Folder of stored artifacts. Default: the user's cache folder.",
        metavar="FOLDER",
    ),
]


def load_plugins(files: list[Path] | None) -> None:
    """Load the files given by ``--plugin``."""
    from maskbench.plugins.files import add_file

    for path in files or []:
        add_file(path)
