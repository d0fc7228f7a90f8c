"""A data set that the `datasets` library can load: ``hf:NAME``, from its hub, its cache, or a folder."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from maskbench.data.arrow_images import image_column, raw_images
from maskbench.data.hashing import row_digests
from maskbench.data.label_columns import label_table
from maskbench.data.parquet_files import Features, without_views
from maskbench.data.paths import existing_folder, shown
from maskbench.data.source import LabelTable, RawImages, Source, native_test_split, split_word
from maskbench.errors import UsageError

_PREFIX = "hf:"


class HuggingFace(Source):
    """All splits of one data set; HF_HUB_OFFLINE and HF_HOME hold as they do for the library."""

    name = "hf"
    description = "hf:NAME: a Hugging Face data set, from its hub, its cache, or a folder"
    by_name = False

    @classmethod
    def opened(cls, text: str) -> HuggingFace | None:
        """Open what follows the prefix."""
        return cls(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None

    def __init__(self, name: str) -> None:
        folder = existing_folder(name)
        self._path = name if folder is None else str(folder)
        self.folder = folder
        self.title = shown(name if folder is None else folder.name)
        self.canonical = _PREFIX + self._path

    @cached_property
    def _splits(self) -> tuple[dict[str, pa.Table], Features]:
        """The table of each split, and the features in their JSON form."""
        import datasets

        try:
            loaded = datasets.load_dataset(self._path)
        except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
            raise UsageError(
                f"The datasets library cannot load '{self._path}': {error} "
                "Check the name; without a network, download it beforehand or pass a folder of Parquet files."
            ) from error
        tables = {
            word: without_views(dataset.with_format("arrow")[:]) for word, dataset in loaded.items() if len(dataset)
        }
        if not tables:
            raise UsageError(f"The data set '{self._path}' has no rows.")
        return tables, next(iter(loaded.values())).features.to_dict()

    def _image_column(self) -> str:
        tables, features = self._splits
        return image_column(next(iter(tables.values())).schema, features, self.canonical)

    def labels(self) -> LabelTable:
        """Encode every column that can hold labels."""
        tables, features = self._splits
        image = self._image_column()
        test = native_test_split(split_word(name) or name for name in tables)
        from_test = [np.full(len(table), split_word(name) == test) for name, table in tables.items()]
        found = label_table(
            pa.concat_tables(table.drop_columns(image) for table in tables.values()),
            features,
            None if test is None else np.concatenate(from_test),
        )
        found.rejected[image] = "holds the images"
        found.notes.append("A mirrored image is taken to keep its labels.")
        return found

    def images(self) -> RawImages:
        """Give access to the encoded images."""
        tables, image = self._splits[0], self._image_column()
        column = pa.chunked_array([chunk for table in tables.values() for chunk in table[image].chunks])
        from datasets.config import HF_CACHE_HOME

        # The library unpacks archives into its cache, and cells then name the files there.
        roots = (Path(self._path), Path(HF_CACHE_HOME))
        return raw_images(column, [(name, len(table)) for name, table in tables.items()], roots)

    def fingerprint(self) -> str:
        """Hash the images and the labels: the library's cache files depend on its version."""
        table, images = self.labels(), self.images()
        rows = range(sum(len(part) for part in self._splits[0].values()))
        total = hashlib.sha256(row_digests(images.raw, rows).tobytes())
        for column, codes in table.labels.items():
            total.update(f"{column}\0{table.classes[column]}\0".encode() + codes.tobytes())
        for column in sorted(table.numbers.keys() - table.labels.keys()):  # classes may be made of them
            total.update(f"{column}\0".encode() + table.numbers[column].tobytes())
        if table.native_test is not None:
            total.update(table.native_test.tobytes())
        return total.hexdigest()
