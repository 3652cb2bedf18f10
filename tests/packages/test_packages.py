"""Each package, built from the program of the tests, and tried where nothing else of Quorate is."""

import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest
from conftest import PACKAGES, TUTORIAL, needs, run

ARCHITECTURES = {"x86_64": ("amd64", "x64"), "aarch64": ("arm64", "arm64")}
MACHINE = platform.machine()


def works(*command, cwd, env=None):
    """Runs a whole apply in the sandbox."""
    shutil.copy(TUTORIAL, pathlib.Path(cwd) / "cluster.hcl")
    assert "62 created" in run(*command, "apply", "--sandbox", "--yes", cwd=cwd, env=env)


def test_the_wheel_works_in_a_new_environment(program, version, tmp_path):
    tag = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    run(PACKAGES / "wheel", program, tag, tmp_path / "wheels")
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python, installed = tmp_path / "venv/bin/python", tmp_path / "venv/bin/quorate"
    run(python, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", tmp_path / "wheels", f"quorate=={version}")
    assert version in run(installed, "version")
    works(installed, cwd=tmp_path)
    run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "quorate")
    assert not installed.exists()


def test_the_same_program_gives_the_same_wheel(tmp_path):
    def wheel(directory):
        return pathlib.Path(run(PACKAGES / "wheel", PACKAGES / "version", "win_amd64", tmp_path / directory).strip())

    one, other = wheel("one"), wheel("other")
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as archive:
        names = archive.namelist()
    assert any(name.endswith(".data/scripts/quorate.exe") for name in names), names


def test_the_npm_packages_work_in_an_empty_directory(program, version, tmp_path):
    needs("npm", "node")
    target = f"linux-{ARCHITECTURES[MACHINE][1]}"
    of_platform = run(PACKAGES / "npm", "platform", program, target, tmp_path / "packages").strip()
    main = run(PACKAGES / "npm", "main", tmp_path / "packages").strip()
    project = tmp_path / "project"
    project.mkdir()
    home = {**os.environ, "HOME": str(tmp_path), "npm_config_cache": str(tmp_path / "cache"), "npm_config_audit": "false", "npm_config_fund": "false"}
    # The packages of other platforms are not there, and are optional.
    run("npm", "install", "--silent", "--offline", of_platform, main, cwd=project, env=home)
    installed = project / "node_modules/.bin/quorate"
    assert version in run("npx", "--no-install", "quorate", "version", cwd=project, env=home)
    works(installed, cwd=project)
    refused = subprocess.run([installed, "apply", "--nonsense"], cwd=project, capture_output=True, check=False)
    assert refused.returncode == 64, "the exit code is that of the program"
    # A run that is asked to end hands that on, and ends as the program does.
    reader = subprocess.Popen([installed, "plan", "--sandbox", "--var-file", "/dev/stdin"], cwd=project, stdin=subprocess.PIPE)
    reader.stdin.write(b"# nothing\n" * 50_000)
    reader.stdin.flush()
    reader.send_signal(signal.SIGTERM)
    assert reader.wait(timeout=60) == 128 + signal.SIGTERM
    (project / "node_modules/@quorate" / target / "quorate").unlink()
    lost = subprocess.run([installed, "version"], cwd=project, capture_output=True, text=True, check=False)
    assert lost.returncode == 1 and f"@quorate/{target} is not installed" in lost.stderr


def bare_debian():
    """The disk of the machines of tests/hosts: Debian with few packages."""
    from hosts import image, privileges

    if missing := privileges.missing():
        pytest.skip(f"SKIPPED: a bare Debian needs {missing}")
    return run(sys.executable, "-m", "hosts.image").strip()


def test_the_package_of_debian_works_on_a_bare_system(program, share, version):
    needs("dpkg-deb", "unshare")
    debian = pathlib.Path(bare_debian())
    work = debian.parent / f"package-{os.getpid()}"
    try:
        for name in ("upper", "work", "root"):
            (work / name).mkdir(parents=True)
        environment = {**os.environ, "DEB_COMPRESSION": "gzip"}
        package = run(PACKAGES / "deb", program, share, ARCHITECTURES[MACHINE][0], work, env=environment).strip()
        shutil.copy(package, work / "upper/quorate.deb")
        shutil.copy(TUTORIAL, work / "upper/cluster.hcl")
        script = f"""
            mount -t overlay overlay -o lowerdir={debian},upperdir={work}/upper,workdir={work}/work {work}/root
            exec chroot {work}/root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root bash -euc '
              dpkg --install /quorate.deb > /dev/null
              command -v quorate
              quorate version
              cd / && quorate apply --sandbox --yes
              for file in /usr/share/man/man1/quorate-plan.1.gz /usr/share/bash-completion/completions/quorate \\
                /usr/share/zsh/vendor-completions/_quorate /usr/share/fish/vendor_completions.d/quorate.fish; do
                test -s "$file"
              done
              dpkg --remove quorate > /dev/null
              ! command -v quorate
              test ! -e /usr/share/man/man1/quorate-plan.1.gz
            '
        """
        output = run("unshare", "--mount", "--propagation", "private", "bash", "-euc", script)
        assert output.startswith("/usr/bin/quorate\n") and version in output and "62 created" in output, output
    finally:
        shutil.rmtree(work, ignore_errors=True)


def test_the_package_of_fedora_has_the_same_files(program, share, tmp_path):
    needs("rpmbuild", "rpm", "rpm2cpio", "cpio")
    environment = {**os.environ, "RPM_COMPRESSION": "w1.gzdio"}
    package = run(PACKAGES / "rpm", program, share, MACHINE, tmp_path, env=environment).strip()
    requires = run("rpm", "--query", "--package", "--requires", package).splitlines()
    assert all(line.startswith("rpmlib(") for line in requires), f"the released program needs nothing: {requires}"
    files = run("rpm", "--query", "--package", "--list", package).split()
    for file in ("/usr/bin/quorate", "/usr/share/man/man1/quorate-plan.1.gz", "/usr/share/zsh/site-functions/_quorate"):
        assert file in files
    run("bash", "-euc", f"rpm2cpio {package} | cpio --extract --make-directories --quiet", cwd=tmp_path)
    works(tmp_path / "usr/bin/quorate", cwd=tmp_path)


def test_an_archive_has_the_program_and_what_is_installed_beside_it(program, share, version, tmp_path):
    programs = tmp_path / "programs/x86_64-unknown-linux-musl"
    programs.mkdir(parents=True)
    shutil.copy(program, programs / "quorate")
    archive = run(PACKAGES / "archives", tmp_path / "programs", share, tmp_path / "dist").strip()
    name = f"quorate-{version}-x86_64-unknown-linux-musl"
    assert archive.endswith(f"{name}.tar.gz")
    with tarfile.open(archive) as tar:
        names = set(tar.getnames())
    beside = ("LICENSE", "README.md", "quorate", "share/man/man1/quorate.1.gz", "share/bash-completion/completions/quorate")
    assert {f"{name}/{file}" for file in beside} <= names
