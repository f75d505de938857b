"""The scenarios: each puts hotrun, its peers and the floors through one kind of work.

Times are of CLOCK_MONOTONIC, from the call that saves to the first instruction of a probe.
"""
