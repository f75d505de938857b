"""The config wing: hotrun.toml, checked against one table of keys."""
