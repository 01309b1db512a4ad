"""From a dataset's name to tensors in memory; digits that are drawn, and augmentation."""
