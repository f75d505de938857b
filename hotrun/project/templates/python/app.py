"""A small web app: app.py starts and stops it, handlers.py answers."""

import selectors
import signal
import socket
import sys

from handlers import application
from server import Server, listen

# Seconds that running requests may take to finish when the app is told to stop;
# hotrun kills what has not stopped after 5 s (stop_timeout).
STOP_LIMIT = 4


def main() -> None:
    """Serve until SIGINT or SIGTERM, then let the running requests finish."""
    with Server(listen(), application) as server:
        print(f"listening on {server.url}", file=sys.stderr)
        serve(server)
    if not server.finish(STOP_LIMIT):
        sys.exit(
            f"error: some requests were cut off: not finished within {STOP_LIMIT} s"
        )


def serve(server: Server) -> None:
    """Take connections until a signal comes."""
    told, tell = socket.socketpair()
    tell.setblocking(False)
    signal.set_wakeup_fd(tell.fileno())  # a signal makes `told` readable
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, let_the_next_one_kill)
    with told, tell, selectors.DefaultSelector() as selector:
        selector.register(server, selectors.EVENT_READ)
        selector.register(told, selectors.EVENT_READ)
        while told not in [key.fileobj for key, _ in selector.select()]:
            server.handle_request()
        signal.set_wakeup_fd(-1)


def let_the_next_one_kill(*_: object) -> None:
    """Hear one signal; from then on any ends the app at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    main()
