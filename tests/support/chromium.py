"""Find a Chromium for the tests that look at a page as a person would.

``python tests/support/chromium.py --install`` also installs one, as root on Debian.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
)
ADVICE = (
    "no Chromium found: install Chromium or Chrome (Debian: apt-get install chromium), "
    "or set DISTILL_CHROMIUM to its executable"
)


def find() -> str | None:
    """The executable that DISTILL_CHROMIUM names, else one on PATH or in its usual place."""
    if named := os.environ.get("DISTILL_CHROMIUM"):
        return named
    on_path = (shutil.which(name) for name in NAMES)
    return next(filter(None, on_path), None) or next(filter(os.path.exists, PLACES), None)


def install() -> None:
    """Install Debian's package, where that can be done without asking anybody."""
    root = getattr(os, "geteuid", lambda: None)() == 0
    if root and Path("/etc/debian_version").exists() and shutil.which("apt-get"):
        for words in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
            subprocess.run(["apt-get", *words], check=False)


def main(arguments: list[str]) -> None:
    """Print the executable, or in one line what to do."""
    if "--install" in arguments and find() is None:
        install()
    sys.stdout.write(f"{find() or ADVICE}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
