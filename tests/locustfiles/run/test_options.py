"""Promise: chatsoak's options stand beside Locust's, override the settings, and none of them takes a secret."""

from pathlib import Path

import pytest
from locust.argument_parser import LocustArgumentParser, setup_parser_arguments

from analysis.errors import ConfigurationError
from analysis.settings import Arrivals, Settings, ShapeName, Workload, load
from locustfiles.run.options import add_options, env_file_of, faults_of, overrides_of, refuse_idle

TARGET = {
    "next_public_supabase_url": "http://127.0.0.1",
    "next_public_supabase_anon_key": "a",
    "supabase_service_role_key": "b",
    "database_url": "postgresql://127.0.0.1/x",
}


@pytest.fixture
def parser(monkeypatch: pytest.MonkeyPatch) -> LocustArgumentParser:
    """Locust's own, with chatsoak's options; whoever runs the tests may have set some for themself."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("CHATSOAK_ENV_FILE", raising=False)
    made = LocustArgumentParser(default_config_files=[])
    setup_parser_arguments(made)
    add_options(made)
    return made


def test_nothing_given_overrides_nothing(parser: LocustArgumentParser) -> None:
    options = parser.parse_args([])
    assert overrides_of(options) == {}
    assert env_file_of(options) is None


def test_what_is_given_becomes_a_setting(parser: LocustArgumentParser) -> None:
    given = "--workload open --think-time 0.5 --arrivals constant --arrival-rate 20 --shape spike --people 7 --drain 3 --env-file /x"
    options = parser.parse_args(given.split())
    assert env_file_of(options) == Path("/x")
    settings = load(Path("no such file"), {**TARGET, **overrides_of(options)})
    assert settings.chatsoak_workload is Workload.OPEN
    assert settings.chatsoak_think_time_s == 0.5
    assert settings.chatsoak_arrivals is Arrivals.CONSTANT
    assert settings.chatsoak_arrival_rate == "20"
    assert settings.chatsoak_shape is ShapeName.SPIKE
    assert settings.chatsoak_people == 7
    assert settings.chatsoak_drain_s == 3


def test_nought_is_something_given(parser: LocustArgumentParser) -> None:
    assert overrides_of(parser.parse_args(["--drain", "0"])) == {"chatsoak_drain_s": "0"}


def test_the_environment_gives_them_too_and_the_command_line_wins(
    parser: LocustArgumentParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATSOAK_SHAPE", "ramp")
    monkeypatch.setenv("CHATSOAK_PEOPLE", "5")
    assert overrides_of(parser.parse_args(["--people", "6"])) == {
        "chatsoak_shape": "ramp",
        "chatsoak_people": "6",
    }


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            "--workload half-open",
            "CHATSOAK_WORKLOAD: expected 'closed' or 'open', found 'half-open'; set it on",
        ),
        ("--shape circle", "CHATSOAK_SHAPE: expected 'soak', 'ramp', 'spike' or 'steps', found 'circle'"),
        ("--arrivals bursts", "CHATSOAK_ARRIVALS: expected 'poisson' or 'constant', found 'bursts'"),
        (
            "--arrival-rate 0s:5,9:x",
            "CHATSOAK_ARRIVAL_RATE: expected a number above 0, .*found '9:x' in it; set",
        ),
        ("--people many", "CHATSOAK_PEOPLE: expected a valid integer, .*, found 'many'"),
        ("--think-time abc", "CHATSOAK_THINK_TIME_S: expected a valid number, .*, found 'abc'"),
        ("--drain inf", "CHATSOAK_DRAIN_S: expected a finite number, found 'inf'"),
    ],
)
def test_what_cannot_be_is_refused_with_one_sentence(
    parser: LocustArgumentParser, wrong: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        load(Path("no such file"), {**TARGET, **overrides_of(parser.parse_args(wrong.split()))})


@pytest.mark.parametrize("idle", ["--arrival-rate 50", "--arrivals constant"])
def test_what_would_do_nothing_is_refused(parser: LocustArgumentParser, idle: str) -> None:
    """Somebody who names a rate means an open workload, and would read a closed one's figures."""
    given = overrides_of(parser.parse_args(idle.split()))
    with pytest.raises(
        ConfigurationError, match=r"acts in an open workload only, .*; give --workload open too"
    ):
        refuse_idle(given, load(Path("no such file"), {**TARGET, **given}))
    opened = {**given, "chatsoak_workload": "open"}
    refuse_idle(opened, load(Path("no such file"), {**TARGET, **opened}))


def test_no_option_takes_a_secret(parser: LocustArgumentParser) -> None:
    ours = [action for action in parser._actions if action.dest.startswith("chatsoak_")]
    assert len(ours) == 9
    assert not any(word in action.dest for action in ours for word in ("key", "password", "database"))
    assert all(action.env_var and action.help for action in ours)


def test_the_defaults_that_help_names_are_the_settings(parser: LocustArgumentParser) -> None:
    fields = Settings.model_fields
    named = {"--think-time": 1, "--arrival-rate": 10, "--drain": 15}
    for flag, default in named.items():
        (action,) = (action for action in parser._actions if flag in action.option_strings)
        assert f"(default {default})" in action.help
    assert fields["chatsoak_think_time_s"].default == named["--think-time"]
    assert fields["chatsoak_arrival_rate"].default == str(named["--arrival-rate"])
    assert fields["chatsoak_drain_s"].default == named["--drain"]


def test_faults_are_for_the_embedded_environment_only(parser: LocustArgumentParser) -> None:
    options = parser.parse_args(["--stage-fault", "latency_ms=5", "--stage-fault", "lost_ack_rate=1"])
    assert faults_of(options, None) == ["latency_ms=5", "lost_ack_rate=1"]
    assert faults_of(parser.parse_args([]), "http://staging.example.com") == []
    with pytest.raises(ConfigurationError, match="a host is given; leave one of them"):
        faults_of(options, "http://staging.example.com")
