"""Man pages and completions."""

import gzip
import os
import subprocess

from conftest import needs, run


def commands(program):
    """The commands that the help of the program lists."""
    text = run(program, "--help").partition("Commands:\n")[2].partition("\n\nOptions:")[0]
    names = [line.split()[0] for line in text.splitlines() if line.startswith("  ") and line[2] != " "]
    assert len(names) > 25, text
    return [name for name in names if name != "help"]


def test_every_command_has_a_man_page(program, share):
    folder = share / "share/man/man1"
    for command in commands(program):
        page = gzip.decompress((folder / f"quorate-{command}.1.gz").read_bytes()).decode()
        name = f"quorate-{command}".replace("-", "\\-")
        assert page.count(".SH NAME") == 1 and f"\n{name} \\- " in page, command
    program_page = gzip.decompress((folder / "quorate.1.gz").read_bytes()).decode()
    assert "Exit codes" in program_page and "quorate\\-plan(1)" in program_page


def complete(program, share, desk, *words):
    """What bash offers for the last word; options only if it begins as one."""
    script = """
        source "$1"
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
        _clap_complete_quorate quorate "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2> /dev/null
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(desk)}
    file = share / "share/bash-completion/completions/quorate"
    offered = run("bash", "-c", script, "bash", file, "quorate", *words, cwd=desk, env=environment).split()
    return [word for word in offered if words[-1].startswith("-") or not word.startswith("-")]


def test_bash_completes_what_is_in_the_files_of_the_directory(program, share, desk):
    def offered(*words):
        return complete(program, share, desk, *words)

    assert offered("pl") == ["plan"]
    assert "--max-monthly-cost" in offered("plan", "--max")
    assert offered("replace", "mas") == ["master-a", "master-b", "master-c"]
    assert offered("roll", "") == ["masters", "workers"]
    assert offered("sandbox", "fail-zone", "us") == ["us-east-1d", "us-east-1f"]
    assert offered("explain", "Q010")[:1] == ["Q0101"]
    (desk / "notes.txt").touch()
    assert offered("plan", "--file", "") == ["cluster.hcl"]
    assert offered("sandbox", "remove", "volume/") == [], "there is no sandbox yet"
    run(program, "apply", "--sandbox", "--yes", cwd=desk)
    assert offered("sandbox", "remove", "volume/") == ["volume/etcd-a", "volume/etcd-b", "volume/etcd-c"]
    instances = offered("sandbox", "terminate", "i-")
    assert len(instances) == 5 and set(instances) <= set(offered("replace", ""))


def test_a_file_that_cannot_be_read_completes_nothing_and_prints_nothing(program, share, desk):
    (desk / "cluster.hcl").write_text("name = \n")
    assert complete(program, share, desk, "replace", "") == []
    other = desk / "other"
    other.mkdir()
    (other / "prod.hcl").write_text("zones = []\n")
    assert complete(program, share, desk, "replace", "--file", "other/prod.hcl", "") == []


def test_the_scripts_of_other_shells_are_valid(program, share):
    missing = []
    for shell, file, check in (
        ("zsh", share / "share/zsh/site-functions/_quorate", ["-n"]),
        ("fish", share / "share/fish/vendor_completions.d/quorate.fish", ["--no-execute"]),
    ):
        text = file.read_text()
        assert "QUORATE_COMPLETE" in text and str(program.parent) not in text, "the program is found by its name"
        if subprocess.run(["which", shell], capture_output=True, check=False).returncode == 0:
            run(shell, *check, file)
        else:
            missing.append(shell)
    assert "QUORATE_COMPLETE" in (share / "quorate.ps1").read_text()
    if missing:
        needs(*missing)
