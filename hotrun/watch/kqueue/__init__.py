"""macOS and the BSDs: kqueue, through the standard library's select. Has run on a fake only."""
