"""Winding numbers on the tree: expansions of its nodes, and their sum at many points."""
