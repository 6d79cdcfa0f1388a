"""Help, manual pages, completion and installation: all of them name what the programs take, and
nothing else.
"""

import re
import shlex
import subprocess

import pytest
from env.paths import ADMIN, BIN, ROOT, WORKER
from env.programs import ENVIRONMENT, run
from env.terminal import Terminal

PATH = {"PATH": f"{BIN}:{ENVIRONMENT['PATH']}"}
STEPS = ("START", "SUCCESS", "FAIL")
COMPLETION = {"admin": ROOT / "admin/completion", "worker": ROOT / "worker/completion"}


def joined(value):
    return " ".join(value) if isinstance(value, list) else ""


def section(text, title):
    return re.search(rf"^{title}:\n(.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)[1].splitlines()


def commands():
    rows = section(run(ADMIN, "--help").out, "commands")
    return [re.match(r"  ((?:[a-z-]+ )*[a-z-]+)(?: [A-Z]+)? {2,}| {2}(\S+ \S+)", row)[1] for row in rows]


COMMANDS = commands()


def options(*command):
    return re.findall(r"^  --([a-z-]+)", run(ADMIN, *command, "--help").out, re.MULTILINE)


def keys():
    return [line.split("\t")[0] for line in run(WORKER, "--print-options").out.splitlines()]


def test_every_command_is_there():
    wanted = (
        "topics create, topics check, schemas register, schemas check, acls print, acls create, acls check, master-key generate, token create, token list, token revoke, "
        "webhook create, webhook list, webhook get, webhook update, webhook delete, webhook test, webhook secret, webhook rotate-secret, webhook recover, jwks show, jwks rotate, credential issue, event publish, "
        "results tail, trace, delivery list, delivery resend, dead-letters list, dead-letters replay, state dump, state export, state import, serve, health"
    )
    assert sorted(COMMANDS) == sorted(wanted.split(", "))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command):
    """With examples that use only options that it has."""
    answer = run(ADMIN, *command.split(), "--help")
    assert answer.code == 0 and not answer.err and answer.out.startswith(f"usage: posthorn-admin {command} ")
    examples = [shlex.split(line.partition("<")[0]) for line in section(answer.out, "examples")]
    assert examples and all(example[1 : 1 + len(command.split())] == command.split() for example in examples)
    used = {word[2:].partition("=")[0] for example in examples for word in example if word.startswith("--")}
    assert used <= set(options(*command.split()))
    assert max(map(len, answer.out.splitlines())) < 200


def test_help_of_a_family():
    answer = run(ADMIN, "dead-letters", "--help")
    assert answer.code == 0 and "dead-letters replay" in answer.out and "webhook" not in answer.out.replace("webhook-", "")


@pytest.mark.parametrize("words, said", [(["dead-letters"], "dead-letters --help"), (["nothing"], "posthorn-admin --help"), (["token", "x"], "token --help")])
def test_what_is_wrong_says_where_help_is(words, said):
    answer = run(ADMIN, *words)
    assert answer.code == 2 and said in answer.err and not answer.out


# The manual


@pytest.fixture(scope="module", params=["posthorn-admin", "posthorn-worker"])
def page(request):
    answer = run(BIN / request.param, "--print-manual")
    assert answer.code == 0 and not answer.err
    return answer.out


def test_page_has_no_warnings(page):
    answer = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=page, capture_output=True, text=True, check=False)
    assert answer.returncode == 0 and not answer.stderr and "EXIT STATUS" in re.sub(".\x08", "", answer.stdout)
    assert page.isascii() and all(len(line) < 1000 for line in page.splitlines())


def plain(page):
    return re.sub(r"\\f[BIR]", "", page).replace("\\-", "-").replace("\\(aq", "'").replace("\\(dq", '"').replace("\\&", "")


def test_admin_page_names_everything():
    text = plain(run(ADMIN, "--print-manual").out)
    sections = dict(re.findall(r'^\.SS "(.*?)"\n(.*?)(?=^\.S[SH])', text, re.MULTILINE | re.DOTALL))
    described = {re.sub(r" [A-Z]+$", "", title): body for title, body in sections.items()}
    assert set(described) == set(COMMANDS)
    common = set(options("topics", "check"))
    assert all(f"\n--{name}" in text for name in common)
    for command, body in described.items():
        missing = [name for name in options(*command.split()) if name not in common and f"\n--{name}" not in body]
        assert not missing and f"posthorn-admin {command}" in body, command


def test_worker_page_names_everything():
    text = plain(run(WORKER, "--print-manual").out)
    names = set(re.findall(r"--([a-z-]+)", run(WORKER, "--help").out.partition("Configuration keys")[0]))
    assert {"config", "set", "check-config", "help", "usage", "version"} <= names
    assert not [name for name in names if f"--{name}" not in text]
    assert not [key for key in keys() if f"\n{key} (" not in text]


# Completion


def complete(*words):
    answer = run(ADMIN, "--complete", "--", *words)
    assert answer.code == 0 and not answer.err
    return [line.split("\t")[0] for line in answer.out.splitlines()]


def in_bash(program, *words):
    """What bash makes of the words, taken apart as it does."""
    name = program.name.removeprefix("posthorn-")
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_${COMP_WORDS[0]//-/_}"; printf "%s\\n" "${COMPREPLY[@]}"'
    file = COMPLETION[name] / f"{program.name}.bash"
    command = ["bash", "-c", script, "bash", file, program.name, *words]
    answer = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT | PATH, cwd=ROOT, check=False)
    assert not answer.stderr, answer
    return answer.stdout.split()


def test_every_command_and_option_completes():
    families = {command.split()[0] for command in COMMANDS}
    assert set(complete("")) == families
    for family in families - set(COMMANDS):
        assert {f"{family} {verb}" for verb in complete(family, "")} == {command for command in COMMANDS if command.split()[0] == family}
    for command in COMMANDS:
        assert sorted(complete(*command.split(), "--")) == sorted(f"--{name}" for name in options(*command.split())), command


def test_every_key_completes_behind_set():
    assert complete("--set", "") == [key.removesuffix("*") if key.endswith("*") else f"{key}=" for key in keys()]
    assert complete("topics", "create", "--set=topic.p") == ["--set=topic.prefix=", "--set=topic.partitions="]


@pytest.mark.parametrize(
    "words, candidates",
    [
        (["dead-letters", "re"], ["replay"]),
        (["--config", "x", "dead-letters", ""], ["list", "replay"]),
        (["--config=x", "dead-l"], ["dead-letters"]),
        (["--config", ""], ["@files"]),
        (["state", "dump", "--replica=a"], ["@files"]),
        (["delivery", "list", "--status", ""], ["pending", "dead", "succeeded"]),
        (["webhook", "recover", "--status", ""], ["dead", "succeeded"]),
        (["tr"], ["trace"]),
        (["trace", "--fo"], ["--follow"]),
        (["delivery", "list", "--status=d"], ["--status=dead"]),
        (["dead-letters", "list", "--topic", "c"], ["credential-issuance"]),
        (["results", "tail", "--type", "WEBHOOK_DE"], [f"WEBHOOK_{command}_{step}" for command in ("DELETE", "DELIVERY_RESEND") for step in STEPS]),
        (["results", "tail", "--type", "WEBHOOK_DI"], ["WEBHOOK_DISABLED"]),
        (["results", "tail", "--type", "WEBHOOK_EVENT_RES"], ["WEBHOOK_EVENT_RESEND"]),
        (["webhook", "create", "--events", "OpenIdCredentialIssuedS"], ["OpenIdCredentialIssuedSummary"]),
        (["webhook", "create", "--events", "Webhook"], ["WebhookFailing", "WebhookRecovered", "WebhookDisabled"]),
        (["webhook", "create", "--events=x,OpenIdCredentialIssuedS"], ["--events=x,OpenIdCredentialIssuedSummary"]),
        (["webhook", "get", ""], []),
        (["webhook", "get", "--tenant", "--js"], []),
        (["webhook", "get", "--", "--js"], []),
        (["nothing", ""], []),
        (["webhook", "nothing", ""], []),
        (["topics", "create", "--status", "d"], []),
    ],
    ids=joined,
)
def test_completion(words, candidates):
    assert complete(*words) == candidates


@pytest.mark.parametrize(
    "words, candidates",
    [
        (["dead"], ["dead-letters"]),
        (["dead-letters", "replay", "--dry"], ["--dry-run"]),
        (["--set", "log.f"], ["log.format="]),
        (["--set", "=", "log.f"], ["log.format="]),
        (["--set=log.f"], ["--set=log.format="]),
        (["--set", "log.level", "=", "info", "tok"], ["token"]),
        (["dead-letters", "list", "--topic", "=", "cred"], ["credential-issuance"]),
        (["--config", "README"], ["README.md"]),
        (["--config", "=", "README"], ["README.md"]),
    ],
    ids=joined,
)
def test_completion_in_bash(words, candidates):
    assert in_bash(ADMIN, *words) == candidates


@pytest.mark.parametrize(
    "words, candidates",
    [
        (["--ch"], ["--check-config", "--check-health"]),
        (["--set", "log.f"], ["log.format="]),
        (["--set", "="], None),
        (["--set", "=", "log.f"], ["log.format="]),
        (["-s", "kafka"], ["kafka.bootstrap.servers=", "kafka."]),
        (["-c", "README"], ["README.md"]),
    ],
    ids=joined,
)
def test_completion_of_the_worker_in_bash(words, candidates):
    assert in_bash(WORKER, *words) == (candidates or [key.removesuffix("*") if key.endswith("*") else f"{key}=" for key in keys()])


def shell(name, tmp_path):
    """An interactive one that has loaded our completion, as an installed one would."""
    if name == "bash":
        terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path, PATH)
        terminal.type("bind 'set bell-style none'\n")
        for file in (COMPLETION["admin"] / "posthorn-admin.bash", COMPLETION["worker"] / "posthorn-worker.bash"):
            terminal.type(f"source {file}\n")
    else:
        terminal = Terminal(["zsh", "-f", "-i"], tmp_path, PATH)
        terminal.type(f"fpath=({COMPLETION['admin']} {COMPLETION['worker']} $fpath); autoload -Uz compinit; compinit -u -D\n")
    return terminal.type("echo re''ady\n").wait("ready")


@pytest.mark.parametrize("name", ["bash", "zsh"])
@pytest.mark.parametrize(
    "typed, shown",
    [
        ("posthorn-admin dead\trep\t--he\t\n", "usage: posthorn-admin dead-letters replay"),
        ("posthorn-admin --set log.le\tloud topics check\n", "log.level: must be"),
        ("posthorn-admin --set=log.le\tloud topics check\n", "log.level: must be"),
        ("posthorn-admin token list --config here.prop\t\n", "no.such.key"),
        ("posthorn-worker --vers\t\n", "posthorn-worker 0."),
        ("posthorn-worker --set log.le\tloud\n", "log.level: must be"),
    ],
)
def test_completion_on_a_terminal(name, typed, shown, tmp_path):
    (tmp_path / "here.properties").write_text("no.such.key=1\n")
    terminal = shell(name, tmp_path)
    try:
        for part in re.split(r"(?<=\t)", typed):
            terminal.type(part)
        terminal.wait(shown)
    finally:
        terminal.close()


@pytest.mark.parametrize("file", [COMPLETION["admin"] / "_posthorn-admin", COMPLETION["worker"] / "_posthorn-worker"], ids=lambda file: file.name)
def test_zsh_reads_them(file):
    assert subprocess.run(["zsh", "-n", file], capture_output=True, check=True).stderr == b""
    assert file.read_text().startswith(f"#compdef {file.name[1:]}\n")


# Installation


def test_install(tmp_path):
    subprocess.run(["cmake", "--install", BIN.parent, "--prefix", tmp_path], capture_output=True, check=True)
    for program in ("posthorn-admin", "posthorn-worker"):
        page = (tmp_path / f"share/man/man1/{program}.1").read_text()
        assert page == run(BIN / program, "--print-manual").out
        assert run(tmp_path / "bin" / program, "--version").out.startswith(program)
        completion = tmp_path / "share/bash-completion/completions" / program
        script = f"source {completion} && complete -p {program}"
        loaded = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        assert f"-F _{program.replace('-', '_')} {program}" in loaded.stdout
        assert (tmp_path / f"share/zsh/site-functions/_{program}").exists()
    assert (tmp_path / "share/posthorn/examples/posthorn.properties").exists()
