"""Where hotrun or the app will listen, as far as the config says, and whether it is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotrun.address import AddressError, parse_address
from hotrun.errors import HotrunError
from hotrun.lean import NamedTuple
from hotrun.process import environment, ports, session_log
from hotrun.project.watched import env_files
from hotrun.url import UrlError, parse_url
from hotrun.variables import expand

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hotrun.config import Config


class Address(NamedTuple):
    """One address.

    Attributes:
        text: As people know it: "127.0.0.1:8080".
        key: "run.listen" or "run.ready".
        trouble: Message and hint when somebody holds it, or it cannot be read.
        port: The number; 0 when there is none.
        ours: Who holds it is a hotrun of this project, or what that started.
    """

    text: str
    key: str
    trouble: tuple[str, str] | None = None
    port: int = 0
    ours: bool = False

    def prevents(self, listened: Collection[int]) -> bool:
        """Whether the app cannot serve like this.

        Who holds an address that only `ready` names may be there before the app, and rightly.

        Args:
            listened: The ports of ``run.listen``.
        """
        if self.trouble is None or self.ours:
            return False
        return not self.port or self.key == "run.listen" or self.port in listened


def wanted(config: Config) -> list[Address]:
    """Return the TCP addresses of a config, each once, and who holds them."""
    run = config.run
    if run is None:
        return []
    env = environment.compose(run.env, env_files(config))[0]
    found: dict[str, Address] = {}
    for key, text in _texts(config):
        address = _looked_at(key, text, env, config.directory)
        if address is not None:
            found.setdefault(address.text, address)
    return list(found.values())


def _texts(config: Config) -> Iterator[tuple[str, str]]:
    run = config.run
    if run is None:
        return
    for text in run.listen:
        yield "run.listen", text
    if run.ready is not None and run.ready.tcp:
        yield "run.ready", run.ready.tcp
    if run.ready is not None and run.ready.http:
        yield "run.ready", run.ready.http


def _looked_at(key: str, text: str, env: dict[str, str], directory: str) -> Address | None:
    try:
        expanded = expand(text, env)
        if "://" in expanded:
            url = parse_url(expanded)
            host, port = url.host, url.port
        else:
            address = parse_address(expanded)
            host, port = address.host, address.port
    except (AddressError, UrlError) as error:
        return Address(text, key, (f"{key}: {text} {error.message}", error.hint))
    except HotrunError as error:
        return Address(text, key, (f"{key}: {error.message}", error.hint))
    if not port:
        return None
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not ports.taken(host, port):
        return Address(where, key, port=port)
    holder = ports.holder(host or None, port)
    message, hint = ports.explain(holder, where)
    pid = _hotrun(holder, directory)
    if pid:
        hint = f"this project runs already (hotrun, pid {pid}): end that before it is run again"
    return Address(where, key, (message, hint), port, ours=bool(pid))


def _hotrun(holder: ports.Holder | None, directory: str) -> int:
    """Return the pid of the hotrun of this project that holds an address; 0: it is another's."""
    if holder is None:
        return 0
    living = {log.hotrun.pid for log in session_log.logs(directory) if log.locked}
    # It holds a socket for its app, or the app that it started does.
    return next((pid for pid in (holder.pid, holder.owner) if pid and pid in living), 0)
