"""Systems, as a config names them in [platform.NAME].

A name here is what people call the system, not what Python or a compiler does.
"""

from __future__ import annotations

import sys

PLATFORMS = ("linux", "macos", "windows", "freebsd")

# What others call them: sys.platform, uname, GOOS, people.
ALIASES = {
    "darwin": "macos",
    "mac": "macos",
    "osx": "macos",
    "apple": "macos",
    "win": "windows",
    "win32": "windows",
    "win64": "windows",
    "nt": "windows",
    "bsd": "freebsd",
    "gnu": "linux",
    "ubuntu": "linux",
    "debian": "linux",
    "wsl": "linux",
}


def platform_named(system: str = sys.platform) -> str:
    """Return the platform of a system as Python names it; nothing when it is none of them."""
    if system in {"darwin", "win32"}:
        return ALIASES[system]
    return next((name for name in PLATFORMS if system.startswith(name)), "")  # freebsd14
