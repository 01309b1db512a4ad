"""Whether a name can be that of a dataset, which is known before the library that reads datasets is imported."""

import os

from models import hub


def check(name: str, revision: str | None) -> None:
    """Raise ValueError where neither a folder with something in it nor a dataset of the Hub can be meant."""
    if os.path.isdir(name):
        if revision:
            raise ValueError(f"The dataset {name} is a folder and has no revisions: leave --dataset-revision out.")
        if not os.listdir(name):
            raise ValueError(
                f"The dataset {name} cannot be read (it doesn't contain any data files): check the name or the folder."
            )
        return
    if hub.may_be_repository(name) and not os.path.exists(name):
        return
    what = "this is a file" if os.path.exists(name) else "there is no such folder"
    raise ValueError(f"The dataset {name} cannot be read ({what}): check the name or the folder.")
