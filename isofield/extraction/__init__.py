"""From a field, any callable from points to values, to a mesh and what is proved about it."""
