"""What `chatsoak report` writes beside the page, and how a run is found."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from analysis.errors import RecordError
from analysis.history.runs import find_run
from analysis.report import command, index, junit
from analysis.report.files import replace_text
from tests.analysis.report.judgements import Told, clean, empty, faulty, judged, obeyed


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
    printed = capsys.readouterr().out
    assert json.loads(printed) == json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    assert printed.isascii()  # so that no terminal obeys what the record holds


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
    for folder in (older, newer, older):
        command.run(folder, as_json=False)
        listed = (tmp_path / "index.html").read_text(encoding="utf-8")
        assert listed.index(newer.name) < listed.index(">latest<") < listed.index(f'href="./{older.name}')
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
    assert (
        len(suite.findall("testcase/skipped")) == int(suite.attrib["skipped"]) == outcomes.count("info") > 0
    )
    noted = suite.findtext("system-out") or ""
    assert "<script>" in noted
    assert not obeyed(noted)
    failures = [case.text or "" for case in suite.findall("testcase/failure")]
    assert any("<script>" in text and "[U+202E]" in text for text in failures)
    assert not any(obeyed(text) for text in failures)


def test_a_share_is_not_told_as_a_count_of_findings(tmp_path: Path) -> None:
    verdict = judged(faulty(bad=1200), tmp_path / "run").verdict
    suite = ElementTree.fromstring(junit.render(verdict, 12.5))  # noqa: S314 - our own
    told = {case.attrib["name"].split(":")[0]: case.findtext("failure") for case in suite.iter("testcase")}
    (errors,) = (entry for entry in verdict["criteria"] if entry["id"] == "errors.send")
    assert errors["unit"] == "%"
    assert (told["errors.send"] or "").endswith("… 1,200 in all; verdict.json names 1,000 of them")
    assert (told["messages.lost"] or "").endswith("… 1,200 in all; verdict.json names 1,000 of them")


def test_half_a_surrogate_pair_in_the_record_costs_no_report(tmp_path: Path) -> None:
    folder = written(faulty(), tmp_path, "20261123T160000Z-aaaa")
    assert "\\ud800" in (folder / "run.json").read_text(encoding="utf-8")
    assert command.run(folder, as_json=False) == 1
    assert "[U+D800]" in (folder / "report.html").read_text(encoding="utf-8")
    replace_text(folder / "summary.md", "\udfff")
    assert (folder / "summary.md").read_text(encoding="utf-8") == "\\udfff"


def test_junit_of_a_run_that_was_cut_off_has_an_error(tmp_path: Path) -> None:
    history = clean()
    history.ended = False
    xml = junit.render(judged(history, tmp_path / "run").verdict, 12.5)
    assert 'name="run.ended"' in xml
