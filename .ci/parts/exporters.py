"""Builds the small programs that send with the official OTLP exporters of other languages."""

from __future__ import annotations

import shutil
from pathlib import Path

from collector import GO
from kafka import JAVA
from make import once, program, run

from real.cached import PROGRAMS, ROOT, cache, exporter


def ensure() -> Path:
    """The folder in which their folders lie."""
    for language in PROGRAMS:
        once(exporter(language), {"go": _go, "js": _js, "java": _java}[language])
    return cache()


def _go(folder: Path) -> None:
    _take("go", folder)
    run([program("go", packages=(), says=GO), "build", "-mod=readonly", "-o", "exporter", "."], cwd=folder)


def _js(folder: Path) -> None:
    _take("js", folder)
    program("node", packages=("nodejs", "npm"), says="install Node.js 20 or newer")
    run([program("npm", packages=("npm",), says="install npm"), "ci", "--no-audit", "--no-fund"], cwd=folder)


def _java(folder: Path) -> None:
    _take("java", folder)
    program("java", packages=JAVA, says="install Java 17 or newer")
    maven = program("mvn", packages=("maven",), says="install Maven 3.8 or newer")
    run([maven, "-q", "-B", "compile", "dependency:copy-dependencies", "-DoutputDirectory=target/jars"], cwd=folder)


def _take(language: str, folder: Path) -> None:
    shutil.copytree(ROOT / "tests" / "exporters" / language, folder, dirs_exist_ok=True)
