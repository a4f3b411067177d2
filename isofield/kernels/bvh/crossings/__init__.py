"""Pairs of triangles that cross: the search through the tree, and the test of one pair."""
