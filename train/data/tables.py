"""From a dataset's name to tables whose images are still encoded: a repository on the Hub, or a folder."""

import os
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import datasets
from datasets.exceptions import DatasetGenerationError

from models import hub
from train.data import class_folders, names

PATIENCE = 10  # seconds the Hub has to begin its answer before it counts as out of reach


def read(name: str, config: str | None, revision: str | None, classes: bool = True) -> dict[str, datasets.Dataset]:
    """Each split as a table whose images are still encoded, `classes` also from a folder with one for each digit.

    Raises ValueError if there is none to be had.
    """
    names.check(name, revision)
    if not os.path.isdir(name):
        return _repository(name, name, config, revision)
    if classes and config in (None, "default") and (found := class_folders.read(Path(name))):
        return found
    return _repository(os.path.abspath(name), name, config, revision)  # relative, it might be a Hub id or a format


def _repository(path: str, name: str, config: str | None, revision: str | None) -> datasets.DatasetDict:
    """A dataset repository, on this disk where `path` is absolute, else on the Hub or in its cache."""
    silent = datasets.config.HF_HUB_OFFLINE or not (os.path.isabs(path) or hub.answers(PATIENCE))
    # A client that does not know that the Hub is out of reach asks for half a minute before it takes its cache.
    with patch.object(datasets.config, "HF_HUB_OFFLINE", silent):
        try:
            place = class_folders.place(path) if os.path.isabs(path) else None
            found = datasets.load_dataset(path, config, revision=revision, cache_dir=place)
        except Exception as error:  # datasets raises whatever its readers raise; all of it means the same to the user
            raise ValueError(_explain(error, path, name, config, revision)) from error
    commits = {Path(file["filename"]).parent.name for table in found.values() for file in table.cache_files}
    if silent and revision and commits != {revision}:  # the cache serves what it saw last, whatever was asked for
        raise ValueError(_unreachable(f"{name} at {revision}"))
    return found


def _unreachable(name: str) -> str:
    return (
        f"The dataset {name} cannot be read, because the Hub is out of reach and no folder or cache has it: use "
        "--dataset FOLDER, or try again with a network."
    )


def _explain(error: Exception, path: str, name: str, config: str | None, revision: str | None) -> str:
    """One sentence for what `datasets` could not read, and what to do."""
    silent = datasets.config.HF_HUB_OFFLINE and not os.path.isabs(path)
    if isinstance(error, ConnectionError) or (silent and config):
        return _unreachable(f"{name}, {config}" if config else name)
    with suppress(Exception):  # what cannot be read may not tell its configurations either
        configs = ", ".join(names := datasets.get_dataset_config_names(path, revision=revision))
        if config and config not in names:
            return f"The dataset {name} has no configuration {config}: choose with --dataset-config one of {configs}."
        if not config and datasets.get_dataset_default_config_name(path, revision=revision) is None:
            return f"The dataset {name} has several configurations: choose with --dataset-config one of {configs}."
    if isinstance(error, DatasetGenerationError) and error.__cause__:
        error = error.__cause__  # by itself it says only that something went wrong
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    check = "the name and the revision" if revision else "the name or the folder"
    return f"The dataset {name} cannot be read ({reason[:200].rstrip('. ')}): check {check}."
