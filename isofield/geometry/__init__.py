"""Shapes as numbers: frames, closed forms, surface sampling, inside and distance."""
