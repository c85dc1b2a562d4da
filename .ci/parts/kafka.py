"""Fetches Apache Kafka's broker with all its jars."""

from __future__ import annotations

import shutil
from pathlib import Path

from make import once, program, run

from real.cached import ROOT, kafka

JAVA = ("openjdk-17-jdk-headless",)


def ensure() -> Path:
    """The folder of the jars."""
    program("java", packages=JAVA, says="install Java 17 or newer")
    return once(kafka(), _make)


def _make(folder: Path) -> None:
    shutil.copy(ROOT / "tests" / "real" / "kafka" / "pom.xml", folder)
    maven = program("mvn", packages=("maven",), says="install Maven 3.8 or newer")
    run([maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}"], cwd=folder)
