"""The server: where it listens, and an end that cuts nobody off."""

import contextlib
import errno
import os
import socket
import sys
import threading
import time
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

SILENCE_LIMIT = 60  # seconds that a client may take to speak, or to listen

# Seconds from connecting to asking that a client may take, when the app is told
# to stop: one that is about to ask must be answered.
FIRST_WORDS = 0.05


def listen() -> socket.socket:
    """Take the socket that was opened for this program, or open one.

    The latter is 127.0.0.1:$PORT, 8000 when PORT is not set.
    """
    if is_handed_over():
        return handed_over()
    port = os.environ.get("PORT") or "8000"
    try:
        return socket.create_server(("127.0.0.1", int(port)), backlog=512)
    except (ValueError, OverflowError):
        sys.exit(f"error: PORT is {port!r}\nhint: it takes a number up to 65535")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            sys.exit(f"error: cannot listen on 127.0.0.1:{port}: {error.strerror}")
        sys.exit(
            f"error: 127.0.0.1:{port} is taken by another program\n"
            "hint: stop that one, or set PORT to a free port"
        )


def is_handed_over() -> bool:
    """Tell whether hotrun, or systemd, holds an open socket for this program.

    Connections wait in it while the program restarts, and none is refused.
    See sd_listen_fds(3).
    """
    names = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
    # Taken out: programs that this one starts must not take them for theirs.
    count, pid, _ = (os.environ.pop(name, "") for name in names)
    return count.isdigit() and int(count) > 0 and pid in ("", str(os.getpid()))


def handed_over() -> socket.socket:
    """Return the first socket that was handed over."""
    try:
        listener = socket.socket(fileno=3)
    except OSError as error:
        sys.exit(
            f"error: LISTEN_FDS is set, but descriptor 3 is no socket: {error.strerror}"
        )
    listener.set_inheritable(False)
    listener.setblocking(True)  # whoever had it before may have left it otherwise
    return listener


class Handler(WSGIRequestHandler):
    """One connection."""

    timeout = SILENCE_LIMIT

    def log_request(self, *_: object) -> None:
        """Print nothing: what fails is printed anyway."""


class Server(ThreadingMixIn, WSGIServer):
    """Answers each connection in a thread of its own, and cuts nobody off at the end.

    Browsers open connections ahead of need. These must not hold up the end, and no
    request may be dropped: so it is known who is silent.
    """

    daemon_threads = True  # what does not finish in time ends with the process
    timeout = 0  # handle_request is called when there is one

    def __init__(self, listener: socket.socket, application) -> None:
        host, port, *_ = listener.getsockname()
        super().__init__((host, port), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = host, port
        self.setup_environ()
        self.set_app(application)
        self._open: set[socket.socket] = set()
        self._silent: dict[socket.socket, float] = {}  # since when
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        """Where to find it."""
        host = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        return f"http://{host}:{self.server_port}"

    def process_request(self, request, client_address) -> None:
        """Start a thread for a connection."""
        request.settimeout(SILENCE_LIMIT)
        with self._changed:
            self._open.add(request)
            self._silent[request] = time.monotonic()
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address) -> None:
        """Wait for the first word on a connection, and answer."""
        try:
            with contextlib.suppress(OSError):
                request.recv(1, socket.MSG_PEEK)
            with self._changed:
                del self._silent[request]
                self._changed.notify_all()
            super().process_request_thread(request, client_address)
        finally:
            with self._changed:
                self._open.discard(request)
                self._changed.notify_all()

    def handle_error(self, request, client_address) -> None:
        """Print what went wrong, unless it is a client that went away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def finish(self, seconds: float) -> bool:
        """Let the running requests finish; return whether all did."""
        with self._changed:
            youngest = max(self._silent.values(), default=0)
            left = youngest + FIRST_WORDS - time.monotonic()
            self._changed.wait_for(lambda: not self._silent, left)
            for request in self._silent:
                with contextlib.suppress(OSError):
                    request.shutdown(socket.SHUT_RD)
            return self._changed.wait_for(lambda: not self._open, seconds)
