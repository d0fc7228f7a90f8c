"""One release from beginning to end: check, fit or load, release, tell."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from maskbench.data.own_output import MANIFEST, pictures_of
from maskbench.data.paths import parquet_files, shown
from maskbench.errors import MaskbenchError, UsageError
from maskbench.models.recognizers import identity
from maskbench.plugins.method import Method
from maskbench.releasing import places, saved, work
from maskbench.releasing.apply import Releaser
from maskbench.releasing.finished import Finished, finished_before
from maskbench.releasing.fitted import Fitted, learns
from maskbench.releasing.fitting import DEFAULT_RECOGNIZER, fit, training
from maskbench.releasing.folder import ImageFolder
from maskbench.releasing.image_source import ImageSource, Writing
from maskbench.releasing.labelled import choose
from maskbench.releasing.manifest import manifest, releases_raw, unchanged
from maskbench.releasing.naming import list_beside, number, write_list
from maskbench.releasing.options import Options, build_method
from maskbench.releasing.output import Output, Record
from maskbench.releasing.parquet import ParquetImages
from maskbench.releasing.pictures import decode
from maskbench.releasing.remarks import Silent, Watcher, remark
from maskbench.releasing.secret import Secret

_SILENT = Silent()
_CPU = torch.device("cpu")


def desensitize(
    source: str | Path,
    destination: str | Path,
    method: str | Method | None = None,
    *,
    ratio: float | None = None,
    size: int | None = None,
    limit: int | None = None,
    target: str | None = None,
    sensitive: str | None = None,
    recognizer: str | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    masks: bool = True,
    rename: bool = False,
    save: str | Path | None = None,
    load: str | Path | None = None,
    resume: bool = False,
    device: torch.device = _CPU,
    watcher: Watcher = _SILENT,
) -> Finished:
    """Release the images of a folder or of Parquet data.

    Args:
        source: a folder of images, or a folder or file of Parquet.
        destination: the folder that is written.
        method: as a user types it, or an instance; None where ``load`` names a saved method.
        ratio: share hidden; None leaves it to the method.
        size: side in pixels of the square that every image is brought to; None keeps each image's own.
        limit: at most this many images, in even steps over the source; None takes all.
        target: label column that teachers learn; None takes the first one.
        sensitive: label column to protect: some methods learn it, and no release has it.
        recognizer: architecture of the teachers; None is the default.
        epochs: of the teachers; None is the default.
        seed: for a release that can be repeated; None draws one from the operating system.
        masks: whether masks are written.
        rename: whether pictures are numbered in random order; the list of names is kept beside it.
        save: where the fitted method is written to, with its secret.
        load: a saved method that is applied instead of fitting one.
        resume: whether to go on with a release that was cut off.
        device: what networks and methods run on.
        watcher: is told what happens.

    Returns:
        The manifest, and whether anything is left to be done.

    Raises:
        UsageError: the options do not fit each other, the source or what is there already.
        OSError: something cannot be written; what is done is kept.
    """
    options = Options(
        source=Path(source),
        destination=Path(destination),
        method=method,
        ratio=ratio,
        size=size,
        limit=limit,
        target=target,
        sensitive=sensitive,
        recognizer=recognizer,
        epochs=epochs,
        seed=seed,
        masks=masks,
        rename=rename,
        save=None if save is None else Path(save),
        load=None if load is None else Path(load),
        resume=resume,
    )
    return _desensitize(options, device, watcher)


def _desensitize(options: Options, device: torch.device, watcher: Watcher) -> Finished:
    options.check()
    source_path, destination = places.check(options)
    loaded = None if options.load is None else _load(options)
    method = build_method(options.method, options.ratio) if loaded is None else loaded.method
    asked = _asked(options, method, loaded)
    if not places.is_empty(destination) and not work.exists(destination):
        return finished_before(destination, asked, options.resume)
    sensitive = options.sensitive if loaded is None else loaded.sensitive
    source = open_source(source_path, options.limit, sensitive)
    # Soft labels are for training on what the teacher has learned from: of other pictures, none leave.
    soft_labels = method.needs_answers() and loaded is None
    source.check(options.masks and method.masked and not method.withholds_masks(), options.sensitive, soft_labels)
    private = {"source": str(source_path), "seed": options.seed, "load": _digest(options.load)}
    with work.opened(destination, {**asked, **private}, options.resume) as folder:
        remark(method, options, source, watcher)
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
        numbers = number(source.names, fitted.secret, folder.numbers) if options.rename else None
        masks = options.masks and fitted.method.masked and not fitted.method.withholds_masks()
        writing = Writing(fitted.size, masks, numbers, soft_labels)
        records = _release(fitted, source, output, writing, device, watcher)
        soft = fitted.soft_labels() if soft_labels and isinstance(source, ImageFolder) else None
        if soft is not None:
            output.finish(source.soft_labels, soft.table(records))
        content = manifest(asked, fitted, source, records, writing)
        same = len(unchanged(records))
        if same and not releases_raw(method):
            watcher.remark(
                f"{same} of the images came out as they went in, since what is hidden of them is of one colour: the "
                "manifest names them."
            )
        names = list_beside(destination) if numbers else None
        if names is not None and numbers is not None:
            write_list(names, numbers, {record.name for record in records if record.released})
        # Last of all, and in one step: a folder with a manifest is a whole release.
        output.finish(MANIFEST, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        errors = [(shown(name), reason) for record in records for name, reason in record.errors]
        if errors:
            return Finished(destination, content, errors, folder.root, names)
        folder.remove()
    return Finished(destination, content, [], None, names)


def open_source(path: Path, limit: int | None, sensitive: str | None) -> ImageSource:
    """Parquet data, or else a folder of images.

    Args:
        sensitive: the column of Parquet data that is not released.
    """
    if path.is_file() or parquet_files(path):
        return ParquetImages(path, limit, sensitive)
    return ImageFolder(pictures_of(path), limit)


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
        "rename": options.rename,
        "saved_method": loaded is not None,
    }
    if loaded is None:
        asked |= {"target": options.target, "sensitive": options.sensitive}
    if loaded is None and (method.requests() or method.needs_answers()):
        asked["recognizer"] = identity(options.recognizer or DEFAULT_RECOGNIZER)
        asked["training"] = training(options).model_dump()
    return asked


def _digest(path: Path | None) -> str | None:
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


def _fit(method: Method, source: ImageSource, options: Options, device: torch.device, watcher: Watcher) -> Fitted:
    table, reason = source.labels() if learns(method) else (None, "")
    wanted = (options.target, options.sensitive) if learns(method) else (None, None)
    labels = choose(table, reason, *wanted, source.chosen)
    secret = Secret.draw() if options.seed is None else Secret.from_seed(options.seed)
    return fit(method, source.entries(), labels, options, secret, device, watcher.progress)


def _release(
    fitted: Fitted,
    source: ImageSource,
    output: Output,
    writing: Writing,
    device: torch.device,
    watcher: Watcher,
) -> list[Record]:
    releaser = Releaser(fitted, device)
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        watcher.progress("releasing", done / len(source.chosen))

    present = source.release(lambda chunk: releaser.release(decode(chunk, writing.size)), output, writing, advance)
    return output.close(present)
