"""What `chatsoak report` writes beside the page, and how a run is found."""

import io
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from analysis.errors import RecordError
from analysis.history.runs import find_run
from analysis.report import command, index, junit, summary, terminal
from tests.analysis.report.judgements import HOSTILE, Told, clean, empty, faulty, judged


def written(history: Told, reports: Path, run_id: str) -> Path:
    """A record in `reports` under `run_id`, as a run leaves it."""
    folder = history.write(reports / run_id)
    run = history.run()
    run.run_id = run_id
    run.write(folder)
    return folder


def test_the_exit_code_follows_the_outcome(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(written(faulty(), tmp_path, "a"), as_json=False) == 1
    assert command.run(written(empty(), tmp_path, "b"), as_json=False) == 3
    printed = capsys.readouterr().out
    assert str(tmp_path / "a" / "report.html") in printed
    assert "FAIL" in printed
    assert "INCONCLUSIVE" in printed


def test_a_report_leaves_all_its_files_and_no_other(tmp_path: Path) -> None:
    folder = written(clean(), tmp_path, "20261123T160000Z-aaaa")
    command.run(folder, as_json=False)
    assert {path.name for path in folder.iterdir()} == {
        "run.json", "record", "database", "verdict.json", "report.html", "summary.md", "junit.xml",
    }  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {folder.name, "index.html", "history.md", "latest"}


def test_json_is_the_verdict_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(faulty(), tmp_path, "a")
    command.run(folder, as_json=True)
    assert capsys.readouterr().out == (folder / "verdict.json").read_text(encoding="utf-8")


def test_a_run_is_found_by_folder_id_and_latest(tmp_path: Path) -> None:
    older, newer = (written(empty(), tmp_path, f"20261123T16000{n}Z-aaaa") for n in (1, 2))
    index.point_latest(tmp_path)
    assert find_run(older, tmp_path) == older
    assert find_run(Path(older.name), tmp_path) == older
    assert find_run(Path("latest"), tmp_path) == newer


def test_an_unknown_run_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no run yet"):
        command.run(Path("nope"), as_json=False, reports_dir=tmp_path)
    written(empty(), tmp_path, "20261123T160001Z-aaaa")
    with pytest.raises(RecordError, match="20261123T160001Z-aaaa"):
        command.run(Path("nope"), as_json=False, reports_dir=tmp_path)


def test_a_report_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    folder = written(empty(), tmp_path, "a")
    (folder / "report.html.part").mkdir()  # in the way, also of root
    with pytest.raises(RecordError, match="cannot be written"):
        command.run(folder, as_json=False)


def test_judging_an_older_run_again_leaves_latest_at_the_newest(tmp_path: Path) -> None:
    older, newer = (written(empty(), tmp_path, f"20261123T16000{n}Z-aaaa") for n in (1, 2))
    for folder in (newer, older):
        command.run(folder, as_json=False)
    assert (tmp_path / "latest").resolve() == newer


def test_a_copied_folder_has_no_list_written_beside_it(tmp_path: Path) -> None:
    folder = clean().write(tmp_path / "copied")  # its run.json has another id
    command.run(folder, as_json=False)
    assert [path.name for path in tmp_path.iterdir()] == ["copied"]


def test_the_list_has_every_run_also_what_was_not_judged(tmp_path: Path) -> None:
    command.run(written(faulty(), tmp_path, "20261123T160001Z-aaaa"), as_json=False)
    written(empty(), tmp_path, "20261123T160002Z-bbbb")
    broken = written(empty(), tmp_path, "20261123T160003Z-cccc")
    (broken / "verdict.json").write_text("{", encoding="utf-8")
    page = index.write_index(tmp_path).read_text(encoding="utf-8")
    names = [page.index(name) for name in ("Z-cccc", "Z-bbbb", "Z-aaaa")]
    assert names == sorted(names)
    assert page.count(">not judged<") == 2
    assert 'href="./20261123T160001Z-aaaa/report.html"' in page
    assert "<script" not in page


def test_an_empty_list_says_so(tmp_path: Path) -> None:
    assert "No run yet." in index.write_index(tmp_path).read_text(encoding="utf-8")


def test_junit_has_a_case_for_each_criterion_and_inconclusive_is_an_error(tmp_path: Path) -> None:
    verdict = judged(faulty(), tmp_path / "run").verdict
    suite = ElementTree.fromstring(junit.render(verdict, 12.5)).find("testsuite")  # noqa: S314 - our own
    assert suite is not None
    outcomes = [entry["outcome"] for entry in verdict["criteria"]]
    assert len(suite.findall("testcase")) == int(suite.attrib["tests"]) == len(outcomes)
    assert len(suite.findall("testcase/failure")) == int(suite.attrib["failures"]) == outcomes.count("fail")
    assert (
        len(suite.findall("testcase/error")) == int(suite.attrib["errors"]) == outcomes.count("inconclusive")
    )
    assert suite.attrib["skipped"] == "0"
    failures = [case.text or "" for case in suite.findall("testcase/failure")]
    assert any("<script>" in text for text in failures)
    assert not any("\x07" in text for text in failures)


def test_junit_of_a_run_that_was_cut_off_has_an_error(tmp_path: Path) -> None:
    history = clean()
    history.ended = False
    xml = junit.render(judged(history, tmp_path / "run").verdict, 12.5)
    assert 'name="run.ended"' in xml


def test_the_summary_is_markdown_that_a_text_of_the_run_cannot_break(tmp_path: Path) -> None:
    judgement = judged(faulty(), tmp_path / "run")
    text = summary.render(judgement.verdict, judgement.users, judgement.endpoint)
    assert text.startswith("# ❌ Fail")
    assert "<script" not in text
    assert "<img" not in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == len(judgement.verdict["criteria"]) + 2
    assert {line.count("|") for line in table} == {6}
    assert "| &#60; 300 ms |" in text  # which Markdown shows as < 300 ms
    assert text.count("… ") >= 1  # more findings than it shows


def printed(history: Told, folder: Path, **options: object) -> str:
    judgement = judged(history, folder)
    out = io.StringIO()
    console = Console(**{"file": out, "width": 100, **options})  # type: ignore[arg-type]
    terminal.show(console, judgement.verdict, judgement.users, judgement.endpoint, folder / "report.html")
    return out.getvalue()


def test_the_closing_summary_is_about_ten_lines_and_ends_with_the_report(tmp_path: Path) -> None:
    lines = printed(faulty(), tmp_path / "run").splitlines()
    assert 10 <= len(lines) <= 16
    assert lines[0].startswith("✕ FAIL")
    labels = [line[:16].strip() for line in lines[1:]]
    assert [label for label in labels if label] == [
        "Release",
        "Why",
        "Sends",
        "Deliveries",
        "Average",
        "P95",
        "Delivery P95",
        "Findings",
        "Drift",
        "Generator",
        "Report",
        "Open it",
    ]
    assert lines[-2].split() == ["Report", str(tmp_path / "run" / "report.html")]
    assert lines[-1].endswith(f"file://{tmp_path / 'run' / 'report.html'}")


def test_the_closing_summary_counts_findings_by_criterion(tmp_path: Path) -> None:
    found = next(line for line in printed(faulty(), tmp_path / "a").splitlines() if "Findings" in line)
    verdict = judged(faulty(), tmp_path / "b").verdict
    for entry in verdict["criteria"]:
        counted = entry["target"] == "0" and entry["observed"] and not entry["id"].endswith(".complete")
        assert (f"{entry['id']} {entry['observed']}" in found) == bool(counted)
    clear = printed(clean(), tmp_path / "c")
    assert "  Findings      none of " in clear


def test_a_terminal_gets_the_closing_summary_wrapped_beside_its_labels_and_others_get_whole_lines(
    tmp_path: Path,
) -> None:
    wide = printed(faulty(), tmp_path / "a", width=60).splitlines()
    assert max(len(line) for line in wide) > 80
    narrow = printed(faulty(), tmp_path / "b", width=60, force_terminal=True, color_system=None).splitlines()
    assert max(len(line) for line in narrow[:-2]) <= 60


def test_a_terminal_without_signs_gets_words(tmp_path: Path) -> None:
    judgement = judged(faulty(), tmp_path / "run")
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    terminal.show(Console(file=out), judgement.verdict, 3, "/api/messages", tmp_path / "report.html")
    out.seek(0)
    assert out.readline().startswith("FAIL  run ")


def test_colours_are_left_out_where_they_are_not_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31m" in printed(faulty(), tmp_path / "a", force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in printed(faulty(), tmp_path / "b", force_terminal=True)
    assert "\x1b" not in printed(faulty(), tmp_path / "c")


def test_markup_in_a_text_of_the_run_is_only_text(tmp_path: Path) -> None:
    history = empty()
    judgement = judged(history, tmp_path / "run")
    judgement.verdict["criteria"][0]["reason"] = f"[red]{HOSTILE}[/red]"
    out = io.StringIO()
    terminal.show(Console(file=out, width=200), judgement.verdict, 0, "/api/messages", Path("r"))
    assert "[red]" in out.getvalue()
