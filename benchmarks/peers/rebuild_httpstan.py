"""Make pystan work on a Python that its wheel was not built for: `python -m benchmarks.peers.rebuild_httpstan`.

The wheels of httpstan 4.17 carry one object compiled for Python 3.10 whatever their tag says, and every Stan model is
linked with it, so that none can be imported. The source lies beside it: this compiles it for the Python that runs, with
the settings httpstan compiles models with, into the installed package.
"""

from __future__ import annotations

import subprocess
import sysconfig
from importlib.util import find_spec
from pathlib import Path

SETTINGS = ("-O3", "-std=c++17", "-fPIC", "-w", "-DBOOST_DISABLE_ASSERTS", "-DBOOST_PHOENIX_NO_VARIADIC_EXPRESSION",
            "-DSTAN_THREADS", "-D_REENTRANT", "-D_GLIBCXX_USE_CXX11_ABI=0")  # fmt: skip


def package() -> Path:
    """The folder httpstan is installed in."""
    found = find_spec("httpstan")
    if found is None or found.origin is None:
        raise SystemExit("httpstan is not installed → uv pip install -e '.[peers]'")
    return Path(found.origin).parent


def fits_this_python(folder: Path) -> bool:
    """Whether the object asks for the version of Python that runs."""
    held = (folder / "stan_services.o").read_bytes()
    return sysconfig.get_python_version().encode() + b"\0" in held


def main() -> None:
    folder = package()
    if fits_this_python(folder):
        print("httpstan already fits this Python")
        return
    include = [f"-I{path}" for path in (folder, folder / "include", sysconfig.get_paths()["include"])]
    target = folder / "stan_services.o"
    part = target.with_suffix(".part.o")
    command = ["g++", *SETTINGS, *include, "-c", str(folder / "stan_services.cpp"), "-o", str(part)]
    print("compiling (some minutes)", flush=True)
    subprocess.run(command, check=True)
    part.replace(target)
    print("httpstan fits this Python now")


if __name__ == "__main__":
    main()
