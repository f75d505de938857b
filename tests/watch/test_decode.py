"""The bytes of inotify, cut into records on every system."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from hotrun.watch.inotify.wire import Record, decode

RECORDS = st.lists(
    st.builds(
        Record,
        st.integers(-1, 2**31 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        st.binary(max_size=255).map(lambda name: name.replace(b"\0", b"n")),
    ),
    max_size=20,
)


def encode(record: Record) -> bytes:
    """As the kernel does it: a name ends in NUL and is padded to a multiple of the header."""
    size = -(-(len(record.name) + 1) // 16) * 16 if record.name else 0
    header = struct.pack("iIII", record.wd, record.mask, record.cookie, size)
    return header + record.name.ljust(size, b"\0")


@given(RECORDS)
def test_what_the_kernel_writes_is_what_is_read(records: list[Record]) -> None:
    assert list(decode(b"".join(map(encode, records)))) == records


def test_an_overflow_has_no_watch_and_no_name() -> None:
    data = struct.pack("iIII", -1, 0x4000, 0, 0)
    assert list(decode(data)) == [Record(-1, 0x4000, 0, b"")]
