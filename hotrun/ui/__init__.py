"""The subscribers: each turns the one stream of notices into something to look at."""
