"""What `python -m train` can do: a module for each command, imported when it runs."""
