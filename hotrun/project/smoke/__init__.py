"""The smoke test of a project: what `hotrun smoke` proves, and what it says of it."""
