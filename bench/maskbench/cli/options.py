"""The options that several subcommands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataSource = Annotated[
    str | None,
    typer.Option(
        "--data",
        help="Built-in name, folder of classes, folder of Parquet files, or hf:NAME.",
        metavar="SOURCE",
    ),
]
Target = Annotated[str | None, typer.Option(help="Label column that the recognizer learns.", metavar="COLUMN")]
Sensitive = Annotated[str | None, typer.Option(help="Label column that the attacker infers.", metavar="COLUMN")]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels", help="Labels of a folder of images: the file's name, then any columns.", metavar="FILE.csv"
    ),
]
Bins = Annotated[
    list[str] | None,
    typer.Option(
        "--bins",
        help="Make classes of a column of numbers, such as age=18,40,65; may be repeated.",
        metavar="COLUMN=N,N,…",
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        help="Take the centre square and scale it to this side in pixels. Needed where sizes differ.", metavar="PX"
    ),
]
Limit = Annotated[
    int | None, typer.Option(help="Use at most this many images, over all splits; at least 50.", metavar="N")
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        "-m",
        help="NAME or NAME:parameter=value,…; may be repeated. Replaces the suite's.",
        metavar="METHOD",
    ),
]
ReleaseOf = Annotated[
    Path | None,
    typer.Option(
        "--release",
        help="Measure the method of a release: the manifest.json of `maskbench desensitize`. Name its raw images with "
        "--data.",
        metavar="MANIFEST",
    ),
]
Attacks = Annotated[
    list[str] | None,
    typer.Option(
        "--attack",
        "-a",
        help="NAME or NAME:parameter=value,…; may be repeated. Replaces the suite's.",
        metavar="ATTACK",
    ),
]
RecognizerName = Annotated[
    str | None,
    typer.Option(
        "--recognizer",
        help="NAME or NAME:parameter=value,…; see `maskbench list recognizers`.",
        metavar="RECOGNIZER",
    ),
]
Ratios = Annotated[
    list[float] | None,
    typer.Option("--ratio", help="Share hidden, 0 to 1; may be repeated. Replaces the suite's.", metavar="SHARE"),
]
Seeds = Annotated[
    int | None, typer.Option(help="How many seeds; 3 means 0, 1 and 2. Replaces the suite's.", metavar="N")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        envvar="MASKBENCH_JOBS",
        help="Stages at work at once, each in a process of its own; 0: in this process, for debuggers. Default: as "
        "many as there are cores and room in memory; 1 on a GPU. Results are the same.",
        metavar="N",
    ),
]
ExclusiveTiming = Annotated[
    bool,
    typer.Option(
        "--exclusive-timing", help="Run the stages whose time is reported, those of methods and attacks, alone."
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.", metavar="DEVICE")]
Precision = Annotated[
    str,
    typer.Option(
        "--precision",
        help="Of training on a GPU: bfloat16, tf32 or float32. All else is float32, as everything on the CPU.",
        metavar="PRECISION",
    ),
]
Deterministic = Annotated[
    bool,
    typer.Option(
        "--deterministic",
        help="On a GPU: the same bits again, by slower kernels; what has none fails. The CPU always repeats itself.",
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option("--plugin", help="A Python file of plug-ins, such as methods; may be repeated.", metavar="FILE.py"),
]
Out = Annotated[Path | None, typer.Option(help="Folder for the results. Default: runs/SUITE-DATE.", metavar="FOLDER")]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        help="Make the stages on a Ray cluster: auto, HOST:PORT, or local. Its machines must share the store.",
        metavar="ADDRESS",
    ),
]
GpusPerStage = Annotated[
    float | None,
    typer.Option(help="GPUs of the cluster for each stage; 0.25 lets four stages share one.", metavar="N"),
]
ShardOf = Annotated[
    str | None,
    typer.Option(
        "--shard",
        help="Run the I-th of N parts of the suite alone, for job arrays; `maskbench merge` joins their results.",
        metavar="I/N",
    ),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Show cautions, flags, times and why cells are missing as well."),
]
StoreFolder = Annotated[
    Path | None,
    typer.Option(
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
