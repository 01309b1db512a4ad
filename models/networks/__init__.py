"""The networks, a file a family: torch alone."""
