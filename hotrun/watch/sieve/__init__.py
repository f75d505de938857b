"""From events to changes: what is known of the files, and what differs from it."""
