"""Windows: ReadDirectoryChangesW, through kernel32. Has run on a fake only."""
