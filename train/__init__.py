"""Training: recipes, data, the loop, the card, and the command `python -m train`."""

import os

# Before torch is imported: with other work on the cores, OpenMP threads that spin while they wait cost far more than
# those that sleep.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
