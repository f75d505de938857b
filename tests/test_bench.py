import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from better import REASONS, UNKNOWN, why
from origin import beside, started
from peers import GO_ONLY, HOTRUN, PEERS, Peer, Work
from report import EQUAL, Column, Group, Row, Table
from results import merge, verdict
from scenarios.all import SCENARIOS

if TYPE_CHECKING:
    from report import Cell

ROOT = Path(__file__).parent.parent
TOOLS = [*PEERS, *GO_ONLY]


def group_of(column: Column, **cells: "Cell") -> Group:
    return Group("a group", [column], {tool: [cell] for tool, cell in cells.items()})


def cells_of(text: str, tool: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {tool} "))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


# --- the tools -----------------------------------------------------------------------------


@pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="no C compiler here")
def test_every_tool_that_is_here_builds_once_for_a_save_and_replaces_the_app() -> None:
    check = [sys.executable, str(ROOT / "bench/check.py"), "--brief"]
    done = subprocess.run(check, capture_output=True, text=True, timeout=120, check=False)
    wrong = [line for line in done.stdout.splitlines() if not line.endswith(": as it should be")]
    assert not wrong, done.stderr
    told = {line.partition(",")[0] for line in done.stdout.splitlines()}
    assert told == {peer.name for peer in (HOTRUN, *PEERS) if peer.is_here}


@pytest.mark.parametrize("peer", TOOLS, ids=lambda peer: peer.name)
def test_a_tool_that_is_here_tells_its_version(peer: Peer) -> None:
    if not peer.is_here:
        pytest.skip(f"{peer.program} is not on PATH")
    assert re.fullmatch(r"v?\d+\.\d+.*", peer.version())


@pytest.mark.parametrize("peer", TOOLS, ids=lambda peer: peer.name)
def test_every_adapter_makes_a_command_that_starts_its_tool(peer: Peer, tmp_path: Path) -> None:
    work = Work(str(tmp_path), ["/b", "x"], ["/a"], True, ["node_modules"], "/chain", ext="go")
    command = peer.call(work)
    programs = (peer.program, "sh", "bash", sys.executable)
    assert command[0] in programs
    assert all(isinstance(word, str) for word in command)


def test_a_tool_that_takes_one_command_gets_the_build_and_then_the_app() -> None:
    both = Work("/r", ["/b", "x"], ["/a"], chain="/chain").one
    assert both == ["/chain", "/b", "x", "then", "/a"]
    assert Work("/r", ["/b", "x"]).one == ["/b", "x"]


def test_inotifywait_is_told_not_to_watch_what_is_ignored_and_not_only_to_be_silent_of_it(
    tmp_path: Path,
) -> None:
    told, fake = tmp_path / "told", tmp_path / "inotifywait"
    fake.write_text(f'#!/bin/sh\necho "$@" >{told}\n')
    fake.chmod(0o755)
    work = Work(str(tmp_path), ["/bin/true"], ignored=["node_modules", "dist"])
    command = next(peer for peer in PEERS if peer.program == fake.name).call(work)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(command, cwd=tmp_path, env=env, timeout=60, check=False)
    assert told.read_text().split()[-3:] == [".", "@./node_modules", "@./dist"]


# --- tables --------------------------------------------------------------------------------


def test_a_cell_of_a_tool_is_its_median_its_range_and_its_ratio_to_hotrun() -> None:
    text = group_of(Column("time"), hotrun=[2.0, 4.0, 3.0], slow=[6.0, 9.0, 12.0]).text()
    assert cells_of(text, "hotrun") == ["3 (2-4) 1x"]
    assert cells_of(text, "slow") == ["9 (6-12) 3x"]


def test_a_word_stands_where_a_tool_gave_no_figure() -> None:
    text = group_of(Column("time"), hotrun=[2.0], gone="not in 30 s", none=[]).text()
    assert cells_of(text, "gone") == ["not in 30 s"]
    assert cells_of(text, "none") == ["-"]


def test_a_count_has_no_ratio_and_nothing_is_divided_by_nothing() -> None:
    text = group_of(Column("builds", "", counts=True), hotrun=[1], other=[2]).text()
    assert cells_of(text, "other") == ["2"]
    text = group_of(Column("switches"), hotrun=[0], other=[7]).text()
    assert cells_of(text, "other") == ["7"]


def test_figures_have_three_digits() -> None:
    text = group_of(Column("time"), hotrun="-", a=[0.1234], b=[12.345], c=[1234.5]).text()
    assert [cells_of(text, tool)[0] for tool in "abc"] == ["0.12", "12.3", "1234"]


def test_a_bar_that_does_not_hold_is_named() -> None:
    rows = [Row("this", [3, 5, 4], most=4), Row("  that: of it", [5], "x", 4)]
    missed = "\n- reaction: that: of it: 5.00 x, bar <= 4 x\n"
    assert verdict([Table("reaction", "", rows).text()]) == f"Bars that do not hold:\n{missed}"
    assert [row.cells()[-1] for row in rows] == ["yes", "NO"]
    assert verdict([Table("other", "", [Row("no bar", [9])]).text()]) == "Every bar holds.\n"


def test_a_tool_that_does_better_is_named_with_the_reason() -> None:
    group = group_of(Column("version"), hotrun=[10.0], reflex=[2.0], unheard=[3.0], slow=[11.0])
    text = Table("start-up", "", groups=[group]).text()
    reason = why("start-up", "reflex", "version")
    assert f"- does better than hotrun: reflex in version: {reason}\n" in text
    assert f"- does better than hotrun: unheard in version: {UNKNOWN}\n" in text
    assert "hotrun: slow" not in text


def test_what_is_as_good_does_not_count_as_better_nor_does_hotrun_itself_or_a_count() -> None:
    nearly = group_of(Column("time"), hotrun=[100.0], other=[100 * EQUAL + 0.1])
    assert not list(nearly.better())
    itself = Group("g", [Column("time")], {"hotrun": [[9.0]], "hotrun, listen": [[1.0]]})
    assert not list(itself.better())
    assert not list(group_of(Column("n", "", counts=True), hotrun=[9], other=[1]).better())


def test_a_reason_for_a_column_goes_before_the_one_for_the_scenario() -> None:
    launch = why("start-up", "reflex", "launch -> first build")
    assert launch == REASONS["start-up", "reflex", "launch -> first build"]
    assert why("start-up", "reflex", "help") == REASONS["start-up", "reflex"]
    assert why("start-up", "nobody", "help") == UNKNOWN


def test_every_reason_is_for_a_scenario_and_a_tool_that_there_are() -> None:
    tools = {peer.name for peer in TOOLS}
    unknown = [key for key in REASONS if key[0] not in SCENARIOS or key[1] not in tools]
    assert not unknown


# --- RESULTS.md ----------------------------------------------------------------------------


def measured(*titles: str, bar: float = 2) -> list[Table]:
    return [Table(title, f"of {title}", [Row("it", [1.0], "x", bar)]) for title in titles]


def origins(text: str) -> dict[str, str]:
    """What a file says of each of its sections: the run that measured it."""
    head, *sections = text.split("\n## ")
    common = re.search(r"^Measured.*?: (.*)$", head, re.MULTILINE)
    assert common
    own = {
        each.split("\n")[0]: re.search(r"^Measured: (.*)$", each, re.MULTILINE) for each in sections
    }
    return {title: found[1] if found else common[1] for title, found in own.items()}


class Results:
    """A file of results in which three scenarios may stand."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, run: str, tables: list[Table]) -> str:
        merge(str(self.path), run, tables, ["a", "b", "c"])
        return self.path.read_text()


@pytest.fixture(name="results")
def _results(tmp_path: Path) -> Results:
    return Results(tmp_path / "RESULTS.md")


def test_what_one_run_measured_has_one_line_of_it_at_the_head(results: Results) -> None:
    text = results.write("1, all.", measured("c", "b", "a"))
    assert text.count("Measured") == 1
    head, *sections = text.split("\n## ")
    assert head.startswith("# What was measured\n\nWritten by `make bench`;")
    assert head.endswith("\n\nEvery bar holds.\n\nMeasured: 1, all.\n")
    assert [each.split("\n")[:2] for each in sections] == [[n, f"of {n}"] for n in "abc"]


def test_a_section_of_another_run_says_so_and_is_else_what_was_printed(results: Results) -> None:
    results.write("1, all.", measured("a", "b", "c"))
    [again] = measured("b", bar=0.5)
    text = results.write("2, b alone.", [again])
    assert "\nMeasured, where a section does not say otherwise: 1, all.\n" in text
    said = again.text().replace("## b\n", "## b\nMeasured: 2, b alone.\n\n")
    assert f"\n{said}\n## c\n" in text


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (["abc", "b"], "121"),
        (["b", "abc"], "222"),
        (["ab", "c"], "112"),
        (["c", "ab"], "221"),
        (["a", "b", "c"], "123"),
        (["abc", "a", "ab"], "331"),
        (["abc", "ab", "c"], "223"),
        (["abc", "b", "b", "abc"], "444"),
        (["a", "b", "a", "c", "b"], "354"),
    ],
)
def test_no_order_of_runs_has_a_section_speak_of_a_run_that_did_not_measure_it(
    results: Results, runs: list[str], expected: str
) -> None:
    for number, titles in enumerate(runs, 1):
        text = results.write(f"{number}, {len(titles)} of them.", measured(*titles))
    assert "".join(run[0] for run in origins(text).values()) == expected
    assert results.write("never", []) == text


def test_the_verdict_is_of_all_sections_of_the_file(results: Results) -> None:
    results.write("1", measured("a", "c", bar=0.5))
    text = results.write("2", measured("a", "b"))
    assert "\nBars that do not hold:\n\n- c: it: 1.00 x, bar <= 0.5 x\n\n" in text
    assert "Every bar holds" not in text


def test_what_has_no_figures_yet_is_named(results: Results) -> None:
    assert "\nNot measured yet: a, c.\n" in results.write("1", measured("b"))
    assert "Not measured yet" not in results.write("2", measured("a", "c"))


def test_the_section_of_a_scenario_that_is_gone_goes(results: Results) -> None:
    merge(str(results.path), "1", measured("gone", "a"), ["gone", "a"])
    text = results.write("2", measured("b"))
    assert list(origins(text)) == ["a", "b"]


def test_a_section_whose_origin_nobody_wrote_down_is_not_given_one(results: Results) -> None:
    results.path.write_text("# What was measured\nYesterday.\n\n## a\nold\n")
    text = results.write("2", measured("b", "c"))
    assert origins(text) == {"a": "in a run of which nothing was noted.", "b": "2", "c": "2"}


def test_a_run_tells_its_commit_and_whom_it_could_not_ask() -> None:
    told = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC, hotrun [\d.]+( of commit \w+( with local changes)?)?,"
    assert re.match(told, started())
    assert beside([], []) == "Beside no peer."
    assert beside([], ["air", "bee"]) == "Beside no peer. Not here, so left out: air, bee."


# --- documents -----------------------------------------------------------------------------


def test_every_scenario_and_every_tool_is_in_the_documentation() -> None:
    text = (ROOT / "docs/benchmarks.md").read_text()
    assert not [name for name in SCENARIOS if f"| `{name}` |" not in text]
    assert not [peer.name for peer in TOOLS if peer.name not in text]


def test_the_tools_of_npm_are_pinned_to_one_version() -> None:
    wanted = dict(re.findall(r'"([\w-]+)": "([\d.]+)"', (ROOT / "bench/package.json").read_text()))
    assert wanted == {"chokidar-cli": "3.0.0", "nodemon": "3.1.14"}


def test_preparing_goes_on_without_what_cannot_be_had(tmp_path: Path) -> None:
    for name in ("dirname", "id", "printf", "cmp"):
        os.symlink(f"/usr/bin/{name}", tmp_path / name)
    env = {"PATH": str(tmp_path), "PEERS": str(tmp_path / "peers")}
    done = subprocess.run(
        ["/bin/sh", ROOT / "bench/prepare"], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        "measuring without entr reflex inotify-tools: install with your package manager: "
        "apt-get install entr reflex inotify-tools\n"
        "measuring without nodemon chokidar-cli: "
        "install Node.js with npm, rm .venv/.stamp-bench, and make bench\n"
    )
    assert not done.stderr
