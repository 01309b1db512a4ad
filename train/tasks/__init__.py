"""How each family of networks is trained, measured and told: a module a family.

To find a recipe, every command imports them all. So what is heavy (datasets, scikit-learn, matplotlib, ...) is imported
by the functions that need it, here and in `train.figures`.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from train.recipe import Recipe
from train.tasks.task import Task


def _found() -> Iterator[tuple[str, Task]]:
    """Each model's name, and what trains it: every class of a module here that has recipes."""
    for module in iter_modules(__path__, f"{__name__}."):
        for kind in vars(import_module(module.name)).values():
            if isinstance(kind, type) and kind.__module__ == module.name and "recipes" in vars(kind):
                task = kind()
                yield from ((name, task) for name in kind.recipes)


TASKS: dict[str, Task] = dict(_found())
RECIPES: dict[str, Recipe] = {name: task.recipes[name] for name, task in TASKS.items()}
