"""The tables of hotrun.toml, a file each.

What a key is and does is said here once, for the checker, the schema, the example and the guide.
"""
