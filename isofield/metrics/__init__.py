"""Numbers that compare shapes: every figure by its full name, with what it is a share of."""
