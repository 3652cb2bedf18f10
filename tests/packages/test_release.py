"""The workflow of a release: its syntax, its scripts, and the programs that it names."""

import pathlib
import re
import subprocess
import sys

import yaml
from conftest import ROOT, run

WORKFLOW = ROOT / ".github/workflows/release.yml"


def steps():
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    return [(name, step) for name, job in jobs.items() for step in job["steps"]]


def test_every_script_is_valid_for_the_shell(tmp_path):
    scripts = [(name, step["run"]) for name, step in steps() if "run" in step]
    assert len(scripts) > 10
    shellcheck = pathlib.Path(sys.executable).with_name("shellcheck")
    for number, (_, script) in enumerate(scripts):
        # An expression of the workflow is replaced before the shell sees it.
        plain = re.sub(r"\$\{\{.*?\}\}", "value", script)
        (tmp_path / f"{number}.sh").write_text(f"#!/usr/bin/env bash\nset -e\n{plain}\n")
    checked = subprocess.run([shellcheck, *sorted(tmp_path.glob("*.sh"))], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_every_program_of_the_repository_that_it_runs_exists():
    text = WORKFLOW.read_text()
    named = set(re.findall(r"packages/[A-Za-z]+", text))
    assert {"packages/deb", "packages/rpm", "packages/wheel", "packages/npm", "packages/share", "packages/archives"} <= named
    for name in named:
        assert (ROOT / name).is_file(), name


def test_every_target_is_packaged_and_only_tags_are_published():
    workflow = yaml.safe_load(WORKFLOW.read_text())
    jobs = workflow["jobs"]
    targets = {entry["target"] for entry in jobs["build"]["strategy"]["matrix"]["include"]}
    packaged = set(re.findall(r"programs/([a-z0-9_]+-[a-z0-9-]+)/quorate", WORKFLOW.read_text()))
    assert packaged == targets
    for name in ("github", "pypi", "npm", "container"):
        assert jobs[name]["if"] == "startsWith(github.ref, 'refs/tags/')", name
    # Only the job that needs it may write, and no job has a secret.
    assert workflow["permissions"] == {"contents": "read"} and "secrets." not in WORKFLOW.read_text()


def test_the_platforms_of_npm_are_those_that_are_built():
    script = (ROOT / "packages/npm").read_text()
    listed = set(re.search(r"platforms=\((.*)\)", script)[1].split())
    built = set(re.findall(r"packages/npm platform \S+ (\S+)", WORKFLOW.read_text()))
    assert listed == built
    assert run(ROOT / "packages/version").strip() in (ROOT / "Cargo.lock").read_text()
