"""Pictures without weights: reading any file, cutting and pasting, damage and masks, classical methods."""
