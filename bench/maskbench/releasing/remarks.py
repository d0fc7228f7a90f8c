"""What the user of ``desensitize`` is told while it works."""

from __future__ import annotations

from typing import Protocol

from maskbench.plugins.method import Method
from maskbench.releasing.fitted import learns
from maskbench.releasing.image_source import ImageSource
from maskbench.releasing.manifest import releases_raw
from maskbench.releasing.options import Options


class Watcher(Protocol):
    """Who is told what happens."""

    def progress(self, what: str, share: float) -> None:
        """Something is done in part."""

    def remark(self, text: str) -> None:
        """Something that the user should know."""


class Silent:
    """A watcher that says nothing."""

    def progress(self, what: str, share: float) -> None:
        """See ``Watcher``."""

    def remark(self, text: str) -> None:
        """See ``Watcher``."""


def remark(method: Method, options: Options, source: ImageSource, watcher: Watcher) -> None:
    """Tell what leaves with the images, what does not, and which options make no difference."""
    if releases_raw(method):
        watcher.remark(f"'{method.label()}' releases the images as they are: nothing in them is hidden.")
    if method.needs_answers():
        watcher.remark(
            "Soft labels are released for each image: what a teacher says of it raw. They tell more than the label."
            if options.load is None
            else "No soft labels are released: with --load the teacher has not learned from these images."
        )
    if options.seed is not None:
        watcher.remark("Whoever knows or guesses --seed can repeat its random numbers. For real images leave it out.")
    if source.names and not options.rename:
        watcher.remark("File names are released too. With --rename the pictures are numbered instead.")
    columns = source.not_used.get("columns", {})
    for name, why in columns.items():
        watcher.remark(f"The column '{name}' is left out of the release: it {why}.")
    unused = [] if learns(method) else ["target"]
    unused += [] if learns(method) or options.sensitive in columns else ["sensitive"]
    unused += [] if method.requests() or method.needs_answers() else ["recognizer", "epochs"]
    for name in unused:
        if getattr(options, name) is not None:
            watcher.remark(f"--{name} is not used: '{method.name}' needs none.")
