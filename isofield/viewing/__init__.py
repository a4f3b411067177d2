"""What people look at: the offline page of a run, and pictures."""
