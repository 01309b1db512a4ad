"""What a card shows for loading the weights without this library: code that a test runs against the checkpoint."""

from train.snippets import classifiers, generators, pictures

SNIPPETS: dict[str, str] = {**classifiers.SNIPPETS, **generators.SNIPPETS, **pictures.SNIPPETS}  # by class
