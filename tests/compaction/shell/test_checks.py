"""Which command lines are checks, across ecosystems; whose exit code it is; and what their output counts."""

from __future__ import annotations

import pytest

from agent_otel.compaction.shell.checks import checks
from agent_otel.compaction.shell.counts import clean, counts, failing
from agent_otel.model.record import Counts

RECOGNISED = [
    ("pytest", "test", "pytest"),
    ("python -m pytest tests/unit -x -q", "test", "pytest tests/unit"),
    ("python3 -m unittest discover", "test", "unittest discover"),
    ("uv run --with x pytest -q", "test", "pytest"),
    ("poetry run pytest", "test", "pytest"),
    ("coverage run -m pytest", "test", "pytest"),
    ("timeout -k 5 60 pytest", "test", "pytest"),
    ("sudo -u ci env A=1 pytest", "test", "pytest"),
    ("bash -lc 'cd x && pytest -q'", "test", "pytest"),
    ("bash -x -c pytest", "test", "pytest"),
    ("docker exec -w /x web pytest", "test", "pytest"),
    ("docker compose exec web pytest", "test", "pytest"),
    ("nice -- pytest", "test", "pytest"),
    ("tox -e py310", "test", "tox -e py310"),
    ("python3 test_fizzbuzz.py", "test", "python3 test_fizzbuzz.py"),
    ("node invite.test.js", "test", "node invite.test.js"),
    ("./run_tests.sh", "test", "run_tests.sh"),
    ("python manage.py test", "test", "python manage.py test"),
    ("npm test", "test", "npm test"),
    ("npm run -s test:unit -- --ci", "test", "npm run test:unit -- --ci"),
    ("npm --prefix web test", "test", "npm --prefix web test"),
    ("pnpm --filter web test", "test", "pnpm --filter web test"),
    ("pnpm playwright test invite-flow.spec.ts", "test", "pnpm playwright test invite-flow.spec.ts"),
    ("npx playwright test", "test", "playwright test"),
    ("yarn jest", "test", "yarn jest"),
    ("npx vitest run", "test", "vitest run"),
    ("go test ./...", "test", "go test ./..."),
    ("cargo nextest run", "test", "cargo nextest run"),
    ("make -j4 check", "test", "make -j4 check"),
    ("just test", "test", "just test"),
    ("./gradlew :app:testDebugUnitTest", "test", "gradlew :app:testDebugUnitTest"),
    ("mvn -q test", "test", "mvn test"),
    ("dotnet test", "test", "dotnet test"),
    ("bundle exec rspec", "test", "rspec"),
    ("vendor/bin/phpunit", "test", "phpunit"),
    ("php artisan test", "test", "php artisan test"),
    ("mvn clean test", "test", "mvn clean test"),
    ("make clean test", "test", "make clean test"),
    ("./gradlew clean build", "build", "gradlew clean build"),
    ("mvn clean install -DskipTests", "build", "mvn clean install -DskipTests"),
    ("yarn workspace web test", "test", "yarn workspace web test"),
    ("php vendor/bin/phpunit", "test", "php vendor/bin/phpunit"),
    ("node node_modules/.bin/jest", "test", "node node_modules/.bin/jest"),
    ("python -W error -m pytest", "test", "pytest"),
    ("docker run --rm -v /a:/a image pytest", "test", "pytest"),
    ("git ls-files | xargs -n 1 pylint", "lint", "pylint"),
    ("pytest tests/init", "test", "pytest tests/init"),
    ("make -j 4 CC=cc", "build", "make -j 4 CC=cc"),
    ("rake", "test", "rake"),
    ("mix test", "test", "mix test"),
    ("ctest --output-on-failure", "test", "ctest --output-on-failure"),
    ("ruff check .", "lint", "ruff check ."),
    ("ruff .", "lint", "ruff ."),
    ("eslint . --fix", "lint", "eslint . --fix"),
    ("npm run lint", "lint", "npm run lint"),
    ("cargo clippy -- -D warnings", "lint", "cargo clippy -- -D warnings"),
    ("golangci-lint run", "lint", "golangci-lint run"),
    ("pre-commit run -a", "lint", "pre-commit run -a"),
    ("make lint", "lint", "make lint"),
    ("mypy --strict", "types", "mypy --strict"),
    ("npx tsc --noEmit", "types", "tsc --noEmit"),
    ("cargo check", "types", "cargo check"),
    ("black --check .", "format", "black --check ."),
    ("ruff format --check", "format", "ruff format --check"),
    ("prettier --check src", "format", "prettier --check src"),
    ("cargo fmt --all --check", "format", "cargo fmt --all --check"),
    ("npm run build", "build", "npm run build"),
    ("go build ./...", "build", "go build ./..."),
    ("cmake --build build", "build", "cmake --build build"),
    ("make", "build", "make"),
]

NOT_CHECKS = [
    "",
    "pip install pytest",
    "grep -r pytest .",
    "echo pytest",
    "git commit -m 'run pytest'",
    "cat test_x.py",
    "pytest --version",
    "pytest --collect-only",
    "cargo test --no-run",
    "ls tests",
    "vim test_x.py",
    "which pytest",
    "npm install jest",
    "npm init",
    "npm --version",
    "rm -rf test_x.py",
    "git diff --stat",
    "git push origin test",
    "sleep 8",
    "python app.py",
    "python",
    "python -m",
    "python -c 'x'",
    "black .",
    "prettier --check --write .",
    "ruff format .",
    "apt-get install make",
    "uv add mypy",
    "uv run",
    "uv",
    "cd tests",
    "sed -n 1,5p test_a.py",
    "go run test.go",
    "docker build .",
    "docker compose",
    "python manage.py runserver",
    "yarn add test",
    "make clean",
    "make help",
    "make install",
    "rake db:migrate",
    "rake -T",
    "ant clean",
    "tox -l",
    "docker run -d image pytest",
    "vitest list",
    "xcodebuild -list",
    "python app.py -m pytest",
    "playwright install",
    "mvn clean",
    "bash",
    "bash -c",
    "bash script.sh",
    "timeout 5",
    "env",
    "sudo -u",
]


@pytest.mark.parametrize(("line", "kind", "name"), RECOGNISED, ids=[line for line, _, _ in RECOGNISED])
def test_checks_are_recognised(line: str, kind: str, name: str) -> None:
    """By program and words, behind whatever runs them; the name is the same for reruns."""
    assert [(check.kind, check.name) for check in checks(line)] == [(kind, name)]


@pytest.mark.parametrize("line", [*NOT_CHECKS, "cat <<E\npytest\nE"], ids=range(len(NOT_CHECKS) + 1))
def test_other_lines_are_no_checks(line: str) -> None:
    """Naming a check, installing one, or listing what it would do, checks nothing."""
    assert checks(line) == []


@pytest.mark.parametrize(
    ("line", "decides", "blamed"),
    [
        ("pytest", True, True),
        ("cd x && FOO=1 pytest -q 2>&1", True, True),
        ("pytest && echo ok", True, True),
        ("timeout 60 pytest", True, True),
        ("bash -c 'pytest'", True, True),
        ("pytest && git push", True, False),
        ("git pull && pytest", True, False),
        ("pytest | tail", False, False),
        ("set -o pipefail; pytest | tail", True, False),
        ("pytest; echo done", False, False),
        ("pytest || true", False, False),
        ("pytest &", False, False),
        ("! pytest", False, False),
        ("if pytest; then ls; fi", False, False),
        ("bash -c 'pytest; true'", False, False),
        ("bash -c 'pytest' || true", False, False),
    ],
)
def test_whose_exit_code_it_is(line: str, decides: bool, blamed: bool) -> None:
    """An exit code of 0 proves a pass only of what it belongs to, and another a failure only where nothing else may."""
    (check,) = checks(line)
    assert (check.decides, check.blamed) == (decides, blamed)


def test_shells_in_shells_have_an_end() -> None:
    """Nobody nests that deep."""
    line = "pytest"
    for _ in range(8):
        line = "bash -c '" + line.replace("'", "'\\''") + "'"
    assert checks(line) == []


OUTPUTS = [
    ("===== 1 failed, 41 passed in 3.21s =====", (41, 1, None, None)),
    ("41 passed, 2 warnings in 0.12s", (41, None, None, None)),
    ("3 passed, 1 skipped, 1 xfailed, 2 errors in 61.00s (0:01:01)", (3, None, 2, 2)),
    ("\x1b[32m5 passed\x1b[0m in 1.0s", (5, None, None, None)),
    ("1 failed in 1.0s\n5 passed in 2.0s", (5, None, None, None)),
    ("..F\nRan 4 tests in 0.001s\n\nFAILED (failures=1, skipped=1)", (2, 1, 1, 0)),
    ("Ran 4 tests in 0.1s\n\nOK", (4, 0, 0, 0)),
    ("Ran 1 test in 0.1s\n\nFAILED (errors=1)", (0, 0, 0, 1)),
    ("Tests:       1 failed, 3 passed, 4 total\nSnapshots: 0 total", (3, 1, None, None)),
    ("Test Files  1 passed (1)\n  Tests  1 failed | 3 passed | 1 todo (5)", (3, 1, 1, None)),
    ("  3 passing (12ms)\n  1 pending\n  1 failing\n\n  1) x", (3, 1, 1, None)),
    ("  1 failed\n    [chromium] > a.spec.ts\n  3 passed (2.1s)", (3, 1, None, None)),
    ("test result: ok. 3 passed; 0 failed; 1 ignored\n\ntest result: FAILED. 1 passed; 2 failed", (4, 2, 1, None)),
    ("     Summary [   0.1s] 4 tests run: 3 passed, 1 failed, 0 skipped", (3, 1, 0, None)),
    ("--- FAIL: TestX (0.00s)\n--- PASS: TestY\n--- SKIP: TestZ\nFAIL\tpkg\t0.1s", (1, 1, 1, None)),
    ("FAIL\tpkg [build failed]", (None, None, None, 1)),
    ("3 examples, 1 failure, 1 pending", (1, 1, 1, 0)),
    ("4 runs, 9 assertions, 1 failures, 0 errors, 0 skips", (3, 1, 0, 0)),
    ("Tests: 4, Assertions: 5, Failures: 1.", (3, 1, 0, 0)),
    ("OK (4 tests, 9 assertions)", (4, 0, 0, 0)),
    ("Passed!  - Failed:     0, Passed:    10, Skipped:     1, Total:    11", (10, 0, 1, None)),
    ("Total tests: 3\n     Passed: 2\n     Failed: 1", (2, 1, 0, 0)),
    ("[ERROR] Tests run: 4, Failures: 1, Errors: 1, Skipped: 0", (2, 1, 0, 1)),
    ("4 tests completed, 1 failed", (3, 1, 0, 0)),
    ("92% tests passed, 1 tests failed out of 12", (11, 1, 0, 0)),
    ("1 doctest, 3 tests, 1 failure", (2, 1, 0, 0)),
    ("# tests 4\n# pass 3\n# fail 1\n", (3, 1, None, None)),
    ("Executed 3 tests, with 1 failure (0 unexpected) in 0.1 seconds", (2, 1, 0, 0)),
    (" 3 pass\n 1 fail\n 9 expect() calls", (3, 1, None, None)),
    ("Found 3 errors.\n[*] 2 fixable", (None, None, None, 3)),
    ("All checks passed!", (None, None, None, 0)),
    ("Success: no issues found in 3 source files", (None, None, None, 0)),
    ("Found 2 errors in 1 file (checked 3 source files)", (None, None, None, 2)),
    ("1 error, 0 warnings, 0 informations", (None, None, None, 1)),
    ("✖ 3 problems (2 errors, 1 warning)", (None, None, None, 2)),
    ("a.ts(1,2): error TS2322: x\na.ts(3,4): error TS1: y", (None, None, None, 2)),
    ("a.ts:1:2 - error TS2322: x\n\nFound 1 error in a.ts:1", (None, None, None, 1)),
    ("5 issues:\n* errcheck: 5", (None, None, None, 5)),
    ("3 files inspected, 2 offenses detected", (None, None, None, 2)),
    ("3 files inspected, no offenses detected", (None, None, None, 0)),
    ("2 checks passed", (2, None, None, None)),
    ("4 passed, 1 failed", (4, 1, None, None)),
    ("all 4 tests passed!", (4, None, None, None)),
]


@pytest.mark.parametrize(("output", "expected"), OUTPUTS, ids=range(len(OUTPUTS)))
def test_summaries_are_counted(output: str, expected: tuple[int | None, ...]) -> None:
    """Passed, failed, skipped and errors, by the last summary; parts of one run add up."""
    passed, failed, skipped, errors = expected
    assert counts(output) == Counts(passed=passed, failed=failed, skipped=skipped, errors=errors)


@pytest.mark.parametrize("output", ["", "ok", "5 apples", "FAILED (1 of 4)", "ok  \tpkg\t0.1s", "3 deselected in 1.0s"])
def test_other_output_counts_nothing(output: str) -> None:
    """No guess is made."""
    assert counts(output) is None


@pytest.mark.parametrize(
    ("tool", "alone", "expected"),
    [
        ("pytest", True, Counts(passed=4)),
        ("pytest", False, Counts(passed=4)),
        ("mypy", True, Counts(errors=2)),
        ("mypy", False, Counts(errors=2)),
        ("make", True, Counts(passed=4)),
        ("make", False, None),
        ("eslint", True, None),
    ],
)
def test_summaries_are_those_of_the_tool(tool: str, alone: bool, expected: Counts | None) -> None:
    """What a tool printed is told by its form; what others print in one line with it is theirs."""
    assert counts("Found 2 errors in 1 file (checked 3 source files)\n4 passed in 0.1s", tool, alone=alone) == expected


def test_parts_that_were_cut_are_not_counted_as_passed() -> None:
    """Of a run that writes a summary for each part, only the last parts are in the end of the output."""
    cut = "[… 900 bytes cut, sha256 0123 …]\ntest result: FAILED. 1 passed; 2 failed; 0 ignored"
    assert counts(cut, "cargo") == Counts(failed=2, skipped=0)


FAILURES = [
    "FAIL",
    "ok  \tpkg/a\t0.1s\nFAIL\tpkg/b\t0.2s",
    "[INFO] BUILD FAILURE",
    "BUILD FAILED in 3s",
    "npm ERR! code 1",
    "npm error Lifecycle script `test` failed",
    " ELIFECYCLE  Test failed. See above for more details.",
    "error Command failed with exit code 1.",
    "make[1]: *** [Makefile:3: test] Error 1",
    "error: test failed, to rerun pass `--lib`",
    "error: could not compile `x` (lib) due to 1 previous error",
    "error: 2 targets failed:",
]
DOUBTS = [
    "Test Suites: 1 failed, 1 passed, 2 total\nTests:       4 passed, 4 total",
    " Test Files  1 failed | 1 passed (2)\n      Tests  4 passed (4)",
    "  Tests  4 passed (4)\n  Errors  1 error",
    "FAIL Required test coverage of 90% not reached. Total coverage: 80.00%\n4 passed in 0.1s",
    "Summary [ 0.1s] 4 tests run: 3 passed, 1 timed out, 0 skipped",
    "panic: runtime error\n--- PASS: TestX (0.00s)",
    "[ERROR] Failed to execute goal\nTests run: 4, Failures: 0, Errors: 0, Skipped: 0",
]


@pytest.mark.parametrize("output", FAILURES, ids=range(len(FAILURES)))
def test_tools_say_that_they_failed(output: str) -> None:
    """Some lines are only printed by tools that fail."""
    assert failing(output)
    assert not clean(Counts(passed=4), output)


@pytest.mark.parametrize("output", DOUBTS, ids=range(len(DOUBTS)))
def test_numbers_can_be_doubted(output: str) -> None:
    """Where something besides the numbers went wrong, they prove no pass."""
    assert not failing(output)
    assert (tallied := counts(output)) is not None
    assert (tallied.passed, clean(tallied, output)) == (tallied.passed, False)


@pytest.mark.parametrize(
    ("tallied", "expected"),
    [
        (None, False),
        (Counts(passed=4), True),
        (Counts(errors=0), True),
        (Counts(passed=0), False),
        (Counts(passed=4, failed=1), False),
        (Counts(passed=4, errors=1), False),
    ],
)
def test_numbers_of_a_pass(tallied: Counts | None, expected: bool) -> None:
    """Something passed, or no problem was found, and nothing went wrong."""
    assert clean(tallied, "done") is expected
