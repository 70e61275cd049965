"""What the command line says of words that it does not take, for every command that its help lists."""

import json
import os
import re
import subprocess

import pytest

from server import BINARY, free_port

pytestmark = pytest.mark.kura
FORMS = ["table", "wide", "json", "jsonl", "yaml", "name"]


def run(*words: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(BINARY), *words], capture_output=True, text=True, timeout=30, env={"PATH": "", **environment})


def listed(*noun: str) -> list[str]:
    """The commands that the help of `noun` lists."""
    text = run(*noun, "--help").stdout
    return re.findall(r"^  (\S+)", text.partition("Subcommands:")[2], re.MULTILINE)


NOUNS = [noun for noun in listed() if listed(noun)]
COMMANDS = [(noun, verb) for noun in NOUNS for verb in listed(noun)] + [(verb,) for verb in listed() if verb not in NOUNS]
ASKING = [words for words in COMMANDS if words not in (("server",), ("completion",))]  # These print no answer.


def forms(words) -> list[str]:
    line = re.search(r"-o,--output.*?\(table\)", run(*words, "--help").stdout, re.DOTALL)
    return [form for form in FORMS if re.search(rf"\b{form}\b", line[0].replace("(table)", ""))]


def message(done: subprocess.CompletedProcess) -> str:
    """Of a usage error, in the form that was asked for."""
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1, done
    if done.stderr.startswith("{"):
        return json.loads(done.stderr)["message"]
    assert done.stderr.startswith("kura: "), done
    return done.stderr.removeprefix("kura: ").rstrip("\n")


def refusal(*words: str, **environment: str) -> str:
    """One line that begins as all errors do, and as a document the same."""
    done = run(*words, **environment)
    assert done.stderr.startswith("kura: "), done
    document = json.loads(run(*words, **{**environment, "KURA_JSON": "1"}).stderr)
    assert (document["code"], document["exitCode"], document["message"]) == ("Usage", 2, message(done)), document
    return document["message"]


def test_the_help_lists_everything():
    assert {("drive", "rm"), ("key", "create"), ("status",), ("operations",)} <= set(COMMANDS) and len(COMMANDS) >= 18
    assert "ListBuckets" in run("operations").stdout and "ListBuckets" in run("operations", "-o", "name").stdout.split()
    assert json.loads(run("operations", "--json").stdout)["operations"][0]["name"] == "ListBuckets"
    assert json.loads(run("operations", "-o", "jsonl").stdout.splitlines()[0])["method"] == "GET"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_flags_that_are_none(words):
    name = "kura " + " ".join(words)
    assert refusal(*words, "--frobnicate") == f"--frobnicate is no flag of {name}; {name} --help lists them"
    flags = re.findall(r"(?<=[ ,])--[a-z-]+", run(*words, "--help").stdout)
    for flag in set(flags) - {"--help"}:
        mistyped = flag + "x" if len(flag) < 6 else flag[:-2] + flag[-1] + flag[-2]
        if mistyped not in flags:
            said = message(run(*words, mistyped))
            assert re.fullmatch(rf"{mistyped} is no flag of {name}; did you mean --[a-z-]+\?", said), said


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_forms_that_are_none(words):
    """A form that would mean nothing is refused, with those that the command has."""
    has = forms(words)
    assert {"table", "json", "jsonl", "yaml"} <= set(has)
    told = ", ".join(form for form in FORMS if form in has) + ", template=TEXT"
    arguments = ["x/y"] if "REQUIRED" in run(*words, "--help").stdout else []
    assert message(run(*words, *arguments, "-o", "template={{.x")) == "-o: 'template={{.x' is no template: its fields are {{.name}}"
    for form in set(FORMS) - set(has):
        assert message(run(*words, *arguments, "-o", form)) == f"-o: '{form}' is none of {told}, the forms of this command"
    for where, said in ((["--output", "xml"], "--output"), (["--output=xml"], "--output"), ([], "KURA_OUTPUT")):
        assert message(run(*words, *arguments, *where, KURA_OUTPUT="xml")).startswith(f"{said}: 'xml' is none of ")
    for form in [*has, "template={{.x}}"]:
        nobody = {"KURA_ENDPOINT": f"http://127.0.0.1:{free_port()}", "KURA_ROOT_ACCESS_KEY": "a", "KURA_ROOT_SECRET_KEY": "b"}
        assert run(*words, *arguments, "-o", form, **nobody).returncode != 2, form


@pytest.mark.parametrize("words, environment, said", [
    ("journal tail --max many", {}, "--max: Value many not in range 1 to 1000"),
    ("journal tail", {"KURA_MAX": "many"}, "KURA_MAX: Value many not in range 1 to 1000"),
    ("journal tail --max 0", {"KURA_MAX": "5", "KURA_ENDPOINT": "x"}, "--max: Value 0 not in range 1 to 1000"),
    ("journal tail --from x", {"KURA_MAX": "5"}, "--from: 'x' is no offset"),
    ("status --timeout", {"KURA_ENDPOINT": "x"}, "--timeout takes one value; kura status --help says which"),
    ("status", {"KURA_TIMEOUT": "soon"}, "KURA_TIMEOUT: Value soon not in range 1 to 86400"),
    ("status", {"KURA_INSECURE": "perhaps"}, "KURA_INSECURE: 'perhaps' is no value of it; kura status --help says what is"),
    ("key create --access all", {"KURA_BUCKET": "b"}, "--access: all not in {read-write,read-only}"),
    ("key create", {"KURA_ACCESS": "all"}, "KURA_ACCESS: all not in {read-write,read-only}"),
    ("drive add", {"KURA_TIMEOUT": "5"}, "kura drive add: path is required"),
    ("status extra", {"KURA_TIMEOUT": "5"}, "'extra' is an argument too many; kura status --help says which it takes"),
    ("server --region-strict=perhaps /d1", {}, "--region-strict: 'perhaps' is no value of it; kura server --help says what is"),
])
def test_where_a_wrong_value_came_from(words, environment, said):
    assert refusal(*words.split(), **environment) == said


@pytest.mark.parametrize("words, environment, said", [
    ("status", {"KURA_ENDPOINT": "x:1"}, "KURA_ENDPOINT: 'x:1' does not"), ("status --endpoint ftp://x", {}, "--endpoint: 'ftp://x' does not"),
    ("status --endpoint http://x:y", {"KURA_ENDPOINT": "http://a"}, "--endpoint: "), ("status --endpoint http://", {}, "--endpoint: "),
    ("status --endpoint http://x:1/path", {}, "--endpoint: 'http://x:1/path': an endpoint has no path\n"),
    ("status", {"KURA_ENDPOINT": "https://x/kura/"}, "KURA_ENDPOINT: 'https://x/kura/': an endpoint has no path\n")])
def test_where_a_wrong_endpoint_came_from(words, environment, said):
    done = run(*words.split(), KURA_ROOT_ACCESS_KEY="a", KURA_ROOT_SECRET_KEY="b", **environment)
    assert done.returncode == 2 and done.stderr.startswith(f"kura: {said}"), done


@pytest.mark.parametrize("words, said", [
    ("", "kura takes a command: server, status, "), ("--json", "kura takes a command: "), ("drive", "drive takes a command: ls, "),
    ("drive -o json", "drive takes a command: ls, "), ("statsu", "'statsu' is no command; did you mean status?"),
    ("drive lss --help", "'lss' is no command; did you mean ls?"), ("frobnicate --help", "'frobnicate' is no command; there are: "),
    ("--jsno status", "--jsno is no flag of kura status; did you mean --json?"), ("--verison", "--verison is no flag of kura; did you mean --version?")])
def test_words_that_are_no_command(words, said):
    assert message(run(*words.split())).startswith(said)


def test_a_wrong_file_of_settings(tmp_path):
    """The server's own refusals begin alike, and say where the value stands."""
    file = tmp_path / "kura.toml"
    file.write_text("# settings\nregion = 5\n")
    for words, told in (([], {"KURA_CONFIG": str(file)}), (["--config", str(file)], {})):
        done = run("server", *words, "/d1", **told)
        assert (done.returncode, done.stderr) == (9, f"kura: {file}:2: region is a text in quotes, not a whole number\n")
    for words, told, source in (([], {"KURA_CONFIG": "/nope"}, "KURA_CONFIG"), (["--config", "/nope"], {}, "--config")):
        assert run("server", *words, "/d1", **told).stderr == f"kura: {source}: cannot read the file '/nope'\n"
    for words, told in ((["--config", str(tmp_path)], {}), ([], {"KURA_ROOT_SECRET_KEY_FILE": str(tmp_path)})):
        done = run("server", *words, "/d1", **told)
        assert (done.returncode, done.stderr) == (9, f"kura: {(words or list(told))[0]}: cannot read the file '{tmp_path}'\n"), done
    file.write_text("region_strict = true\n")
    keys = {"KURA_ROOT_ACCESS_KEY": "access", "KURA_ROOT_SECRET_KEY": "secret-secret"}
    wrong = run("server", "--config", str(file), "--listen", "nowhere", "/d1", **keys)
    assert wrong.returncode == 9 and wrong.stderr.startswith("kura: --listen: "), wrong
    wrong = run("server", "--config", str(file), "/d1", KURA_LISTEN="nowhere", **keys)
    assert wrong.returncode == 9 and wrong.stderr.startswith("kura: KURA_LISTEN: "), wrong


def complete(*words: str) -> list[str]:
    """What bash offers for the last of the words, by the script that it sources."""
    script = 'source <(kura completion bash); COMP_WORDS=(kura "$@"); COMP_CWORD=$#; _kura; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, timeout=30,
                          env={"PATH": f"{BINARY.parent}:/usr/bin:/bin"})
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.split()


def test_completion():
    assert complete("dr") == ["drive"] and complete("drive", "") == ["add", "ls", "rm", "scrub"]
    assert set(listed()) == set(complete("")) and complete("drive", "rm", "--d") == ["--dry-run"]
    assert complete("completion", "") == ["bash", "fish", "zsh"] and complete("completion", "f") == ["fish"]
    assert complete("drive", "ls", "-o", "w") == ["wide"] and complete("status", "-o", "w") == []
    assert complete("--json", "key", "cr") == ["create"] and complete("drive", "add", "/tm") == []  # Files: the shell's own.
    assert "compdef _kura kura" in run("completion", "zsh").stdout and run("completion", "fish").stdout.startswith("complete -c kura ")
    assert refusal("completion", "tcsh") == "shell: tcsh not in {bash,zsh,fish}"
    assert run("__complete").stdout.split() == listed()


def run_into(output, *words: str, **environment: str) -> subprocess.CompletedProcess:
    """With `output` as standard output; None: closed."""
    close = None if output else lambda: os.close(1)
    return subprocess.run([str(BINARY), *words], stdout=output, stderr=subprocess.PIPE, text=True, timeout=30, preexec_fn=close,
                          env={"PATH": "", **environment})


@pytest.mark.parametrize("words", ["version", "version -o json", "operations", "operations -o yaml", "completion bash", "--help", "--version",
                                   "status --help", "doctor", "__complete k"])
def test_output_that_cannot_be_written(words):
    reasons = {"-": "Bad file descriptor", "/dev/full": "No space left on device"}
    for path, reason in reasons.items():
        with open("/dev/full", "w") as full:
            done = run_into(full if path == "/dev/full" else None, *words.split())
        line = json.loads(done.stderr)["message"] if words.endswith("json") or words.endswith("yaml") else done.stderr.removeprefix("kura: ")
        assert (done.returncode, line.rstrip("\n"), done.stderr.count("\n")) == (1, f"cannot write the output: {reason}", 1), done
    assert run(*words.split()).returncode == 0


def test_nothing_to_write():
    """A command that fails says why it does, whether or not its output could be written."""
    for output in (None, subprocess.DEVNULL):
        done = run_into(output, "statsu")
        assert done.returncode == 2 and done.stderr.startswith("kura: 'statsu' is no command"), done
