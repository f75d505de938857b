"""The watcher wing: events of the kernel, and what of them is a change."""
