"""What the commands and the Python face do, one file a verb."""
