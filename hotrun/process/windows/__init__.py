"""Processes on Windows: one job object a child, which ends with its last handle."""
