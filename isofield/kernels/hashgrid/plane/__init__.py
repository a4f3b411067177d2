"""The hash encoding in two dimensions."""
