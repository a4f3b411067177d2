"""Networks to assemble: encodings, perceptrons, published implicit networks, their losses and derivatives."""
