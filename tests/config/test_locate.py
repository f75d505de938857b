from __future__ import annotations

import tomllib
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hotrun.config.locate import Location, Path, Span, locate, where_lost

BARE = st.text("abcdeXYZ019_-", min_size=1, max_size=5)
WORDS = st.text("ab 'é表=#.[]{},\\\"\t", max_size=6)
SPACES = st.sampled_from(["", " ", "\t", "  "])
NOTHING = st.sampled_from(["", "\n", "# x = 1\n", "\n  # [no] \"table'\n"])
# Between the parts of an array.
GAPS = st.sampled_from(["", " ", "\n", " # a ] comment\n\t", "\r\n"])
SCALARS = st.sampled_from(
    ["5", "-1.5e3", "true", "nan", "0xff", "1979-05-27", "1979-05-27 07:32:00", "07:32:00.5"]
)


@dataclass
class Writer:
    """Writes a document and notes where it puts things."""

    text: str = ""
    places: dict[Path, Location] = field(default_factory=dict)
    names: set[Path] = field(default_factory=set)

    def put(self, text: str) -> tuple[int, int]:
        start = len(self.text)
        self.text += text
        return start, len(self.text)

    def span(self, start: int, end: int) -> Span:
        lines = self.text[:start].split("\n")
        first = self.text[start:end].replace("\r\n", "\n").split("\n")
        width = len(first[0].rstrip() if len(first) > 1 else first[0])
        return Span(len(lines), len(lines[-1]) + 1, len(lines[-1]) + 1 + width)


def basic(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{escaped}"'


@st.composite
def quoted_names(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(WORDS)
    return (name, f"'{name}'") if "'" not in name and draw(st.booleans()) else (name, basic(name))


@st.composite
def names(draw: st.DrawFn) -> tuple[str, str]:
    """A name, and how it is written."""
    if draw(st.integers(0, 3)) == 0:
        return draw(quoted_names())
    name = draw(BARE)
    return name, name


@st.composite
def strings(draw: st.DrawFn) -> str:
    text = draw(WORDS)
    plain = text.replace('"', "").replace("\\", "")
    forms = [
        basic(text),
        f"'{text.replace(chr(39), '')}'",
        f'"""{plain}\n{plain} \\\n  x""\\""""',
        f'"""{plain}"x""""',
        f"'''\n{text.replace(chr(39), '')}'x''y'''",
        f"'''{text.replace(chr(39), '')}x'''''",
        "''''''",
        '""',
    ]
    return draw(st.sampled_from(forms))


def fresh(draw: st.DrawFn, writer: Writer, table: Path) -> tuple[str, str]:
    """A name that the table does not have."""
    unused = names().filter(lambda pair: (*table, pair[0]) not in writer.names)
    pair = draw(unused)
    writer.names.add((*table, pair[0]))
    return pair


def write_value(draw: st.DrawFn, writer: Writer, path: Path, depth: int) -> tuple[int, int]:
    kind = draw(st.sampled_from(["scalar", "string", "array", "table"][: 4 if depth < 3 else 2]))
    start = len(writer.text)
    if kind == "scalar":
        writer.put(draw(SCALARS))
    elif kind == "string":
        writer.put(draw(strings()))
    elif kind == "array":
        write_array(draw, writer, path, depth)
    else:
        write_inline_table(draw, writer, path, depth)
    return start, len(writer.text)


def write_array(draw: st.DrawFn, writer: Writer, path: Path, depth: int) -> None:
    writer.put("[" + draw(GAPS))
    count = draw(st.integers(0, 3))
    for number in range(count):
        span = write_value(draw, writer, (*path, number), depth + 1)
        writer.places[(*path, number)] = Location(None, writer.span(*span))
        writer.put(draw(GAPS))
        if number < count - 1 or draw(st.booleans()):
            writer.put("," + draw(GAPS))
    writer.put("]")


def write_inline_table(draw: st.DrawFn, writer: Writer, path: Path, depth: int) -> None:
    writer.put("{" + draw(SPACES))
    count = draw(st.integers(0, 3))
    for number in range(count):
        write_pair(draw, writer, path, depth + 1)
        writer.put(draw(SPACES) + ("," + draw(SPACES) if number < count - 1 else ""))
    writer.put("}")


def write_pair(draw: st.DrawFn, writer: Writer, table: Path, depth: int = 0) -> None:
    """`a.b = value`, with names that are all new."""
    writer.put(draw(SPACES))
    key = (0, 0)
    for number in range(draw(st.integers(1, 3))):
        if number:
            writer.places[table] = Location(writer.span(*key), None)
            writer.put(f"{draw(SPACES)}.{draw(SPACES)}")
        name, written = fresh(draw, writer, table)
        table = (*table, name)
        key = writer.put(written)
    writer.put(f"{draw(SPACES)}={draw(SPACES)}")
    value = write_value(draw, writer, table, depth)
    writer.places[table] = Location(writer.span(*key), writer.span(*value))


def write_header(draw: st.DrawFn, writer: Writer, known: list[Path]) -> Path:
    """`[a.b]` or `[[a.b]]` below nothing, or below a table that has a header."""
    is_array = draw(st.booleans())
    writer.put(draw(SPACES) + ("[[" if is_array else "["))
    table = draw(st.sampled_from(known))
    for part in (part for part in table if isinstance(part, str)):
        writer.put(basic(part) + draw(SPACES) + "." + draw(SPACES))
    name, written = fresh(draw, writer, table)
    table = (*table, name)
    place = Location(writer.span(*writer.put(written)), None)
    writer.places[table] = place
    if is_array:
        table = (*table, 0)
        writer.places[table] = place
    writer.put("]]" if is_array else "]")
    return table


@st.composite
def documents(draw: st.DrawFn) -> Writer:
    writer = Writer()
    known: list[Path] = [()]
    table: Path = ()
    for _ in range(draw(st.integers(0, 6))):
        writer.put(draw(NOTHING))
        if draw(st.booleans()):
            write_pair(draw, writer, table)
        else:
            table = write_header(draw, writer, known)
            known.append(table)
        writer.put(draw(st.sampled_from(["\n", "\r\n", " # a = 'comment\n"])))
    return writer


@settings(max_examples=300, deadline=None)
@given(documents())
def test_every_key_is_found_where_it_was_written(writer: Writer) -> None:
    tomllib.loads(writer.text)  # the generator's own law
    assert locate(writer.text) == writer.places


def paths_of(value: object, path: Path = ()) -> set[Path]:
    pairs: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    below = {one for name, child in pairs for one in paths_of(child, (*path, name))}
    return below | ({path} if path else set())


CHARACTERS = [*"ab.=[]{},\"'\\# \n\t1-:_é"]
MARKS = ['"""', "'''", "[[", "]]", " = ", "\n[a]\n", "\n[[a.b]]\n", "\r\n"]
PIECES = st.sampled_from(CHARACTERS + MARKS)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
@example("[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2\n[[a.d]]\n[[a.d]]\n")
@example("[a.b]\n[a]\nb2 = 1\n[a.c]")
@example("a = [{b = 1}, {b = [{}, {c.d = 2}]}]")
@example('"\\u0061b" = 1')
@example('"\\a" = 1')
@example("a = [[[]], [\n#]\n]]")
def test_whatever_tomllib_reads_is_located_whole(text: str) -> None:
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        where_lost(text)
        return
    assert set(locate(text)) == paths_of(tree)


@pytest.mark.parametrize("text", ["= 1", "a 1", "[", "a = ", "a = [1 2]", "a = '", "a = {,}", "]"])
def test_a_text_that_is_not_toml_is_located_up_to_there(text: str) -> None:
    assert locate(f"x = 1\n{text}")[("x",)] == Location(Span(1, 1, 2), Span(1, 5, 6))
    assert where_lost(f"x = 1\n{text}") is not None


def test_nesting_without_end_is_no_traceback() -> None:
    assert ("x",) in locate("x = 1\na = " + "[" * 100_000)
    assert where_lost("a = " + "[" * 100_000) is None


def test_a_large_file_takes_no_noticeable_time() -> None:
    text = "".join(f"[t{number}]\nkey = 'value'\n" for number in range(5_000))
    assert len(locate(text)) == 10_000


def test_a_table_is_located_at_its_own_header_and_not_at_that_of_a_child() -> None:
    places = locate("[a.b]\n\n[a]\n[[c]]\n[[c]]\n")
    assert places["a",] == Location(Span(3, 2, 3), None)
    assert places["a", "b"] == Location(Span(1, 4, 5), None)
    assert places["c",] == Location(Span(4, 3, 4), None)
    assert places["c", 1] == Location(Span(5, 3, 4), None)
