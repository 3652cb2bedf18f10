"""The program that packages carry, and what they install beside it."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "packages"
TUTORIAL = ROOT / "examples/tutorial/cluster.hcl"


def run(*command, **options):
    """Returns the output of a command that must succeed."""
    ran = subprocess.run([str(part) for part in command], text=True, capture_output=True, check=False, **options)
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def needs(*programs):
    """Skips the test where one of these programs is missing."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        pytest.skip(f"SKIPPED: {', '.join(missing)} is not installed")


@pytest.fixture(scope="session")
def version():
    return run(PACKAGES / "version").strip()


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """The program of the tests without its debug information, most of its size."""
    stripped = tmp_path_factory.mktemp("program") / "quorate"
    run("strip", "-o", stripped, os.environ["QUORATE_PROGRAM"])
    return stripped


@pytest.fixture(scope="session")
def share(program, tmp_path_factory):
    directory = tmp_path_factory.mktemp("share")
    run(PACKAGES / "share", program, directory)
    return directory


@pytest.fixture
def desk(tmp_path):
    """An empty directory with a cluster file."""
    shutil.copy(TUTORIAL, tmp_path / "cluster.hcl")
    return tmp_path
