"""Training and evaluating the learned classifier."""
