"""One release from beginning to end: check, fit or load, release, tell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch

from maskbench.data.paths import parquet_files
from maskbench.errors import MaskbenchError, UsageError
from maskbench.models.recognizers import identity
from maskbench.plugins.method import Method
from maskbench.releasing import places, saved, work
from maskbench.releasing.fitted import Fitted, learns
from maskbench.releasing.fitting import DEFAULT_RECOGNIZER, fit, training
from maskbench.releasing.folder import ImageFolder
from maskbench.releasing.labelled import choose
from maskbench.releasing.manifest import NAME, manifest, releases_raw
from maskbench.releasing.options import Options, build_method
from maskbench.releasing.output import Output
from maskbench.releasing.parquet import ParquetImages
from maskbench.releasing.pictures import decode
from maskbench.releasing.releasing import Releaser
from maskbench.releasing.secret import Secret
from maskbench.releasing.source import ImageSource


class Watcher(Protocol):
    """Who is told what happens."""

    def progress(self, what: str, share: float) -> None:
        """Something is done in part."""

    def remark(self, text: str) -> None:
        """Something that the user should know."""


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        manifest: the content of ``manifest.json``.
        unfinished: the folder that is still needed to try the errors again; None where there are none.
        already: whether all had been done before.
    """

    destination: Path
    manifest: Mapping[str, Any]
    unfinished: Path | None
    already: bool = False


def desensitize(options: Options, device: torch.device, watcher: Watcher) -> Outcome:
    """Release the images of a folder or of Parquet data.

    Raises:
        UsageError: the options do not fit each other, the source or what is there already.
    """
    options.check()
    source_path, destination = places.check(options)
    loaded = None if options.load is None else _load(options)
    method = build_method(options.method or "", options.ratio) if loaded is None else loaded.method
    asked = _asked(options, method, loaded)
    if not places.is_empty(destination) and not work.exists(destination):
        return _finished(destination, asked, options.resume)
    sensitive = options.sensitive if loaded is None else loaded.sensitive
    source = open_source(source_path, options.limit, sensitive)
    source.check(options.masks and method.masked and not method.withholds_masks(), options.sensitive)
    private = {"source": str(source_path), "seed": options.seed, "load": _digest(options.load)}
    with work.opened(destination, {**asked, **private}, options.resume) as folder:
        _remark(method, options, source, watcher)
        if folder.fitted.is_file():
            fitted = saved.read(folder.fitted)
        else:
            try:
                fitted = loaded or _fit(method, source, options, device, watcher)
            except MaskbenchError:
                folder.remove()  # nothing was begun that could be resumed
                raise
            saved.write(fitted, folder.fitted)
        if options.save is not None:
            save = options.save.expanduser()
            save.parent.mkdir(parents=True, exist_ok=True)
            saved.write(fitted, save)
        output = Output(destination, folder.journal)
        content = _release(fitted, source, options, output, asked, device, watcher)
        if content["errors"]:
            return Outcome(destination, content, folder.root)
        folder.remove()
    return Outcome(destination, content, None)


def open_source(path: Path, limit: int | None, sensitive: str | None) -> ImageSource:
    """Parquet data, or else a folder of images.

    Args:
        sensitive: the column of Parquet data that is not released.
    """
    if path.is_file() or parquet_files(path):
        return ParquetImages(path, limit, sensitive)
    return ImageFolder(path, limit)


def _load(options: Options) -> Fitted:
    loaded = saved.read(Path(str(options.load)))
    if options.size is not None and loaded.shape is not None and loaded.shape[1:] != (options.size, options.size):
        raise UsageError(
            f"--size {options.size} does not go with the saved method, which was fitted on images of "
            f"{loaded.shape[2]}×{loaded.shape[1]} px."
        )
    return replace(loaded, size=options.size or loaded.size)


def _asked(options: Options, method: Method, loaded: Fitted | None) -> dict[str, Any]:
    """Everything that decides what a release is and may be told: no paths, no seed."""
    asked: dict[str, Any] = {
        "method": method.name,
        "parameters": method.model_dump(mode="json"),
        "size": options.size if loaded is None else loaded.size,
        "limit": options.limit,
        "masks": options.masks,
        "saved_method": loaded is not None,
    }
    if loaded is None:
        asked |= {"target": options.target, "sensitive": options.sensitive}
    if loaded is None and method.requests():
        asked["recognizer"] = identity(options.recognizer or DEFAULT_RECOGNIZER)
        asked["training"] = training(options).model_dump()
    return asked


def _digest(path: Path | None) -> str | None:
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


def _finished(destination: Path, asked: Mapping[str, Any], resume: bool) -> Outcome:
    """What is there is this very release, all done; or raise UsageError."""
    if not resume:
        raise UsageError(f"The destination {destination} is not empty: name an empty or a new folder.")
    try:
        content = json.loads((destination / NAME).read_text(encoding="utf-8"))
        same = content["options"] == json.loads(json.dumps(asked))
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"The destination {destination} is not empty and holds no release to resume.") from None
    if not same:
        raise UsageError(f"The destination {destination} holds a finished release that was made with other options.")
    return Outcome(destination, content, None, already=True)


def _remark(method: Method, options: Options, source: ImageSource, watcher: Watcher) -> None:
    if releases_raw(method):
        watcher.remark(f"'{method.label()}' releases the images as they are: nothing in them is hidden.")
    if options.seed is not None:
        watcher.remark("Whoever knows or guesses --seed can repeat its random numbers. For real images leave it out.")
    columns = source.not_used.get("columns", {})
    for name, why in columns.items():
        watcher.remark(f"The column '{name}' is left out of the release: it {why}.")
    unused = [] if learns(method) else ["target"]
    unused += [] if learns(method) or options.sensitive in columns else ["sensitive"]
    unused += [] if method.requests() else ["recognizer", "epochs"]
    for name in unused:
        if getattr(options, name) is not None:
            watcher.remark(f"--{name} is not used: '{method.name}' needs none.")


def _fit(method: Method, source: ImageSource, options: Options, device: torch.device, watcher: Watcher) -> Fitted:
    table, reason = source.labels() if learns(method) else (None, "")
    wanted = (options.target, options.sensitive) if learns(method) else (None, None)
    labels = choose(table, reason, *wanted, source.chosen)
    secret = Secret.draw() if options.seed is None else Secret.from_seed(options.seed)
    return fit(method, source.entries(), labels, options, secret, device, watcher.progress)


def _release(
    fitted: Fitted,
    source: ImageSource,
    options: Options,
    output: Output,
    asked: Mapping[str, Any],
    device: torch.device,
    watcher: Watcher,
) -> dict[str, Any]:
    releaser = Releaser(fitted, device)
    masks = options.masks and fitted.method.masked and not fitted.method.withholds_masks()
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        watcher.progress("releasing", done / len(source.chosen))

    present = source.release(
        lambda chunk: releaser.release(decode(chunk, fitted.size)),
        output,
        size=fitted.size,
        masks=masks,
        advance=advance,
    )
    content = manifest(asked, fitted, source, output.close(present), masks)
    # Last of all, and in one step: a folder with a manifest is a whole release.
    partial = output.root / f".{NAME}"
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(output.root / NAME)
    return content
