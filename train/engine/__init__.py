"""The loop that knows no family, and what it stands on: optimisers, run folders, processes, tracking."""
