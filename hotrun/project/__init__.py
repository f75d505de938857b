"""Projects: what a new one is made of."""
