"""hotrun: save a file, and the new program is already serving."""

__version__ = "0.1.0"
