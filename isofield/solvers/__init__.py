"""Equations that a field satisfies, solved on a grid."""
