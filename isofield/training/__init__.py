"""Training: the loop, its hooks, budgets, checkpoints, and the run folder."""
