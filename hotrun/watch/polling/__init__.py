"""Everywhere: look again and again, and compare."""
