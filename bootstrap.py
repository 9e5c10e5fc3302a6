"""Set everything up and run one target: `python bootstrap.py report`. What `make` calls, and what works without make.

Standard library only, and old Python too: whatever `python3` a machine has starts it; the project's own Python (see
.python-version) and every library live in .venv, installed from requirements.lock with hashes, nothing re-resolved.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
EXE = ".exe" if os.name == "nt" else ""
PARAMS = "params/infant_cardiac_surgery.yml"

# two workers; what a test module makes once it makes in one of them, and the long runs, first by name, begin first
SPREAD = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]

# target: (lock to install, commands; a list that starts with "collabeval" or a tool runs from .venv)
TARGETS = {
    "setup": ("requirements.lock", []),
    "report": ("requirements.lock", [["collabeval", "run"]]),
    "doctor": ("requirements.lock", [["collabeval", "doctor"]]),
    "test": ("requirements-dev.lock", [["pytest", "-m", "not slow", *SPREAD]]),
    "test-slow": ("requirements-dev.lock", [["pytest", "-m", "slow"]]),
    "check": ("requirements-dev.lock", [["ruff", "format", "--check", "."], ["ruff", "check", "."], ["mypy"]]),
    "format": ("requirements-dev.lock", [["ruff", "format", "."], ["ruff", "check", "--fix", "."]]),
    "bench": ("requirements-dev.lock", [["python", "benchmarks/run.py"]]),
}
LOCK = ["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-annotate", "--python-version", "3.12"]
LOCK += ["pyproject.toml", "--extra", "setup", "--custom-compile-command", "python bootstrap.py lock"]


def say(text):
    print("bootstrap: " + text, file=sys.stderr, flush=True)


def fail(text):
    say(text)
    raise SystemExit(1)


def run(command, **options):
    result = subprocess.run([str(part) for part in command], cwd=str(ROOT), **options)
    if result.returncode:
        raise SystemExit(result.returncode)


def index_settings():
    """uv does not read pip's settings: hand it the package index and certificates that this machine's pip uses."""
    settings = {}
    pip = [sys.executable, "-m", "pip", "config", "get"]
    for name, variable, target in (
        ("global.index-url", "PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("global.cert", "PIP_CERT", "SSL_CERT_FILE"),
    ):
        value = os.environ.get(variable)
        if not value:
            found = subprocess.run([*pip, name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            value = found.stdout.decode().strip() if found.returncode == 0 else ""
        if value and not os.environ.get(target):
            settings[target] = value
    return settings


def find_uv():
    """uv from PATH, else from the package index into .tools, by the hash in requirements-uv.lock."""
    found = shutil.which("uv")
    if found:
        return found
    own = TOOLS / "bin" / ("uv" + EXE)
    if not own.exists():
        say("installing uv into .tools")
        lock = str(ROOT / "requirements-uv.lock")
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "--target",
            str(TOOLS),
            "-r",
            lock,
        ]
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
            helper = TOOLS / "pip"
            if subprocess.run([sys.executable, "-m", "venv", str(helper)]).returncode:
                fail(
                    "this Python has neither pip nor venv: install pip (Debian: apt-get install python3-pip) "
                    "or uv, then run again"
                )
            command[0] = str(helper / BIN.name / ("python" + EXE))
            run(command)
    return str(own)


def fingerprint(lock):
    """What an installed environment was made from, as one hash."""
    digest = hashlib.sha256(lock.encode())
    for name in (lock, "pyproject.toml", ".python-version"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def set_up(lock):
    """Create .venv and install `lock` into it, unless exactly that has been done."""
    stamp = VENV / ".collabeval-setup"
    # the development lock holds everything that the plain one does
    enough = {lock, "requirements-dev.lock"}
    if stamp.exists() and stamp.read_text() in {fingerprint(name) for name in enough}:
        return
    uv = find_uv()
    environment = dict(os.environ, **index_settings())
    environment["VIRTUAL_ENV"] = str(VENV)
    environment.pop("PYTHONPATH", None)
    if not (BIN / ("python" + EXE)).exists():
        version = (ROOT / ".python-version").read_text().strip()
        say("creating .venv with Python " + version)
        run([uv, "venv", "--quiet", "--python", version, VENV], env=environment)
    say("installing " + lock + " (once; a few minutes on a slow line)")
    run([uv, "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes", lock], env=environment)
    run([uv, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", "."], env=environment)
    stamp.write_text(fingerprint(lock))


def write_locks():
    """Resolve pyproject.toml anew and write the locks (maintainers; everyone else installs them)."""
    uv = find_uv()
    environment = dict(os.environ, **index_settings())
    # the development lock first: what tests need may hold a library back, and both locks must agree
    dev = ["--extra", "dev", "--output-file", "requirements-dev.lock"]
    run([uv, *LOCK, *dev], env=environment)
    run([uv, *LOCK, "--constraint", "requirements-dev.lock", "--output-file", "requirements.lock"], env=environment)


def main(arguments):
    target, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if target == "lock":
        return write_locks()
    if target not in TARGETS:
        print("usage: python bootstrap.py TARGET [ARGUMENTS]\ntargets: " + " ".join(sorted([*TARGETS, "lock"])))
        raise SystemExit(0 if target in ("help", "-h", "--help") else 2)
    lock, commands = TARGETS[target]
    set_up(lock)
    if target == "report" and not [word for word in rest if word.endswith((".yml", ".yaml"))]:
        rest = [PARAMS, *rest]
    environment = dict(os.environ)
    environment["PATH"] = str(BIN) + os.pathsep + environment.get("PATH", "")
    environment["VIRTUAL_ENV"] = str(VENV)
    environment.pop("PYTHONPATH", None)
    for index, command in enumerate(commands):
        last = index == len(commands) - 1
        run([BIN / (command[0] + EXE)] + command[1:] + (rest if last else []), env=environment)
    if target == "setup":
        say("ready: " + str(BIN / ("collabeval" + EXE)))
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
