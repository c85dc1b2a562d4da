"""Checks that a command line runs: tests, lints, types, formats and builds, across ecosystems.

A check is recognised by its program and the words that follow it, from a table; a line that only speaks of one
(``pip install pytest``, ``git commit -m "run pytest"``) runs none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from agent_otel.compaction.shell.lines import Command, commands, decisive
from agent_otel.compaction.shell.programs import unwrapped
from agent_otel.model.record import CheckKind

DEEPEST: Final = 4
LONGEST_NAME: Final = 120


class Check(NamedTuple):
    """A check in a line.

    ``tool`` is the program, by which its output is read. ``name`` is equal for reruns of the same check. ``decides``
    where an exit code of 0 means that it passed: in ``pytest | tail`` it is that of ``tail``. ``blamed`` where another
    exit code means that it failed: in ``pytest && git push`` it may be that of ``git``.
    """

    kind: CheckKind
    tool: str
    name: str
    decides: bool
    blamed: bool


class _Rule(NamedTuple):
    kind: CheckKind
    words: re.Pattern[str]


def _rules(*table: tuple[CheckKind, str]) -> tuple[_Rule, ...]:
    return tuple(_Rule(kind, re.compile(rf"(?:{words})(?= |$)")) for kind, words in table)


_OPTIONS: Final = r"(?:-\S+ (?:[^-\s]\S* )??)*"  # with values; a value begins with no dash, or this would take for ever
_SCRIPT: Final = rf"{_OPTIONS}(?:workspace \S+ )?(?:run(?:-script)? {_OPTIONS})?"
_TARGET: Final = r"(?:\S+ )*?"

RULES: Final = _rules(
    # Python
    ("test", r"pytest|py\.test|unittest|nose2?|trial|behave|robot|nox"),
    ("test", r"tox(?! -(?:l|a)\b)|stestr|green|ward|doctest|ptw|locust --headless"),
    ("test", r"manage\.py test|django-admin test|hatch test|setup\.py test"),
    ("lint", r"ruff check|ruff(?! format)|flake8|pylint|pycodestyle"),
    ("lint", r"pydocstyle|bandit|vulture|prospector|interrogate|codespell"),
    ("types", r"mypy|dmypy run|pyright|basedpyright|pyre(?: check)?|pytype|ty check|ty"),
    ("format", rf"ruff format {_TARGET}--check|black {_TARGET}--(?:check|diff)"),
    ("format", rf"isort {_TARGET}(?:--check(?:-only)?|-c)"),
    ("build", r"build|hatch build|poetry build|flit build|compileall|py_compile"),
    # JavaScript and TypeScript
    (
        "test",
        r"jest|vitest(?! list)|mocha|ava|tap|jasmine|karma start|cypress run|playwright test|wdio|uvu|node --test",
    ),
    ("test", rf"(?:npm|pnpm|yarn|bun) {_SCRIPT}(?:test|tests|t|e2e|spec|unit)(?::[\w:.-]+)?"),
    ("test", r"deno test|bun test|ng test"),
    ("lint", rf"(?:npm|pnpm|yarn|bun) {_SCRIPT}lint(?::[\w:.-]+)?"),
    ("lint", r"eslint|oxlint|biome (?:check|lint|ci)|stylelint|jshint"),
    ("lint", r"tslint|standard|xo|deno lint|markdownlint(?:-cli2)?|commitlint"),
    ("types", rf"(?:npm|pnpm|yarn|bun) {_SCRIPT}(?:type-?check|types|tsc|check-types)(?::[\w:.-]+)?"),
    ("types", r"tsc|vue-tsc|flow(?: check)?"),
    ("types", r"deno check|svelte-check|astro check"),
    ("format", rf"(?:npm|pnpm|yarn|bun) {_SCRIPT}(?:format|fmt|prettier):check"),
    ("format", rf"prettier {_TARGET}(?:--check|-c)|deno fmt --check"),
    ("format", r"biome format"),
    ("build", rf"(?:npm|pnpm|yarn|bun) {_SCRIPT}(?:build|compile)(?::[\w:.-]+)?"),
    ("build", r"vite build|next build|webpack|rollup|esbuild"),
    ("build", r"ng build|turbo (?:run )?build|nx build|astro build|tsup"),
    ("test", r"turbo (?:run )?test|nx (?:run-many -t )?test|lerna run test"),
    # Go
    ("test", r"go test|gotestsum|ginkgo"),
    ("lint", r"go vet|golangci-lint(?: run)?|staticcheck|revive|golint"),
    ("format", r"gofmt -l|gofumpt -l|goimports -l"),
    ("build", r"go build|go install"),
    # Rust
    ("test", r"cargo (?:\+\S+ )?(?:test|nextest run|t|llvm-cov|tarpaulin)|cargo-nextest run"),
    ("lint", r"cargo (?:\+\S+ )?(?:clippy|deny|audit)"),
    ("types", r"cargo (?:\+\S+ )?(?:check|c)"),
    ("format", rf"cargo (?:\+\S+ )?fmt {_TARGET}--check|rustfmt --check"),
    ("build", r"cargo (?:\+\S+ )?(?:build|b)|wasm-pack build"),
    # JVM
    ("test", rf"(?:gradlew?|\./gradlew) {_TARGET}[\w:]*(?:test|check|Test)"),
    ("test", rf"mvnw? {_TARGET}(?:test|verify|integration-test)"),
    ("test", r"sbt (?:\S+ )*(?:test|testOnly)|mill \S*test|lein test|ant test|kotlinc-test"),
    ("lint", rf"(?:gradlew?|\./gradlew) {_TARGET}[\w:]*(?:lint|checkstyleMain|ktlintCheck|detekt|spotlessCheck)"),
    ("lint", r"ktlint|detekt"),
    ("build", rf"(?:gradlew?|\./gradlew) {_TARGET}[\w:]*(?:build|assemble|compile\w*)"),
    ("build", rf"mvnw? {_TARGET}(?:compile|package|install)"),
    ("build", r"sbt compile|javac|kotlinc|ant$|ant (?:build|compile|jar)"),
    # .NET, C and C++, Swift
    ("test", r"dotnet test|dotnet vstest|ctest|meson test|swift test"),
    ("test", r"xcodebuild (?:\S+ )*test|bazel(?:isk)? test|buck2? test"),
    ("format", rf"dotnet format {_TARGET}--verify-no-changes|clang-format {_TARGET}(?:--dry-run|-n)"),
    ("lint", r"clang-tidy|cppcheck|swiftlint(?: lint)?|cpplint"),
    ("build", r"dotnet build|dotnet publish|cmake --build|ninja -C|meson compile"),
    ("build", r"swift build|xcodebuild|bazel(?:isk)? build|buck2? build"),
    ("build", r"gcc|g\+\+|clang|clang\+\+|cc"),
    # Ruby, PHP, Elixir, Erlang, Haskell, Dart and others
    ("test", r"rspec|minitest|rails test(?::\w+)?|rake (?:test|spec)(?::\w+)?|cucumber|rake$"),
    ("lint", r"rubocop|standardrb|reek|brakeman"),
    ("types", r"srb tc|steep check"),
    ("test", r"phpunit|pest|codecept run|artisan test|composer (?:run )?test|phpspec run"),
    ("lint", r"phpcs|php-cs-fixer fix --dry-run|php -l|composer (?:run )?lint|phpmd"),
    ("types", r"phpstan(?: analy[sz]e)?|psalm"),
    ("test", r"mix test|rebar3 (?:eunit|ct|proper)|stack test|cabal test|dart test|flutter test|zig (?:build )?test"),
    ("test", r"bats|shunit2|busted|lua_test|Rscript -e devtools::test\(\)"),
    ("test", r"julia (?:\S+ )*test/runtests\.jl|dune (?:runtest|test)"),
    ("lint", r"mix (?:credo|dialyzer)|hlint|dart analyze|flutter analyze|luacheck|zig fmt --check"),
    ("format", r"mix format --check-formatted|dart format (?:\S+ )*--set-exit-if-changed"),
    ("format", r"terraform fmt (?:\S+ )*-check"),
    ("build", r"mix compile|stack build|cabal build|flutter build|zig build|dune build"),
    # Everything else that repositories check
    ("lint", r"shellcheck|hadolint|yamllint|actionlint|ansible-lint"),
    ("lint", r"tflint|sqlfluff lint|buf lint|vale|semgrep|trivy|checkov"),
    ("lint", r"pre-commit run|lefthook run|terraform validate|helm lint"),
    ("lint", r"kubeconform|spectral lint|typos|ansible-playbook --syntax-check"),
    ("format", r"shfmt -d|taplo fmt --check|treefmt --fail-on-change"),
    ("test", rf"(?:make|gmake|just|task|rake|invoke|inv|doit) {_TARGET}[\w-]*test[\w-]*"),
    ("test", rf"(?:make|gmake|just|task|rake|invoke|inv|doit) {_TARGET}(?:spec|e2e|unit|integration|verify)"),
    ("test", rf"(?:make|gmake|just|task) {_TARGET}(?:check|ci)"),
    ("lint", rf"(?:make|gmake|just|task|rake|invoke|inv) {_TARGET}[\w-]*lint[\w-]*"),
    ("types", rf"(?:make|gmake|just|task|invoke|inv) {_TARGET}(?:type-?check|types|mypy)"),
    ("format", rf"(?:make|gmake|just|task) {_TARGET}(?:format-check|check-format|fmt-check)"),
    ("build", rf"(?:make|gmake|just|task) {_TARGET}(?:build|compile|all)"),
    ("build", r"(?:make|gmake|ninja)(?: -\S+| \d+| \w+=\S*)*$"),
)
"""What is a check, by the words of the command after its wrappers (``uv run``, ``npx``, ``python -m`` …)."""

_TEST_SCRIPT: Final = re.compile(
    r"(?:(?:python[0-9.]*|node|ruby|bash|sh|php|perl|deno run|bun|tsx|ts-node)(?: -[\w=.-]+)* )?"
    r"(?:\S*/)?(?:(?:run[_-]?)?tests?(?:[_-]\w+)*|\w+[._-](?:tests?|spec)|tests?[_.-][\w.-]+)"
    r"\.(?:py|js|mjs|cjs|ts|rb|sh|php|pl|t)(?= |$)|(?:\./)(?:\S*/)?(?:run[_-]?)?tests?(?= |$)"
)
"""A script whose name says that it tests: ``python test_fizz.py``, ``node invite.test.js``, ``./run_tests.sh``."""

_NO_CHECK: Final = re.compile(
    r" (?:--version|--help|-h|-V|--collect-only|--co|--no-run|--listTests|--list-tests|--list|--dry-run|--setup-plan"
    r"|--fixtures|--markers|--showConfig|--print-config|--init|--watch|--ui|--show-settings"
    r"|-list|-showsdks)(?= |$)"
)
_FIXES: Final = re.compile(r" (?:--fix(?:-only)?|--write|-w|--autocorrect(?:-all)?|-A|-a)(?= |$)")
_HOUSE_KEEPING: Final = re.compile(
    r" (?:-q+|-v+|-s|-x|--quiet|--verbose|--no-color|--color=\S+|--tb=\S+|--no-header|-rA|-ra)(?= |$)"
)


_RUNNER: Final = re.compile(
    r"(?:pnpm|yarn|bun|npm) (?:-\S+ )*(?:(?:exec|dlx|x) (?:-\S+ )*)?|python[0-9.]* |(?:php|node|ruby) (?:\S*/)?"
)
"""What may stand before a check in a package manager's own words, or before a script that is one."""

_UNFAILING: Final = frozenset(
    ["cd", "pushd", "popd", "echo", "printf", "true", ":", "export", "set", "source", ".", "pwd", "ls", "sleep"]
) | {"date", "mkdir", "unset", "alias", "clear", "which", "wait"}
"""Programs that a line hardly ever fails for."""


def checks(line: str) -> list[Check]:
    """The checks a line runs, in their order."""
    return list(_checks(line, DEEPEST))


def _checks(line: str, depth: int) -> Iterator[Check]:
    found = commands(line)
    pipefail = any("pipefail" in word.text for command in found for word in command.arguments)
    joins = ("&&", "|") if pipefail else ("&&",)
    failing = sum(command.name not in _UNFAILING for command in found)
    for command, decides in zip(found, decisive(found, joins), strict=True):
        inner = unwrapped(command)
        blamed = decides and failing == 1
        if isinstance(inner, str):
            for each in _checks(inner, depth - 1) if depth else ():
                yield each._replace(decides=each.decides and decides, blamed=each.blamed and blamed)
        elif (kind := _kind(said := _said(inner))) is not None:
            yield Check(kind, inner.name, _HOUSE_KEEPING.sub("", said)[:LONGEST_NAME].strip(), decides, blamed)


def _kind(said: str) -> CheckKind | None:
    if not said or _NO_CHECK.search(said):
        return None
    kind = next((rule.kind for rule in RULES if rule.words.match(said)), None)
    if kind == "format" and _FIXES.search(said):
        return None
    if kind is None and (runner := _RUNNER.match(said)):
        kind = _kind(said[runner.end() :])
    return kind or ("test" if _TEST_SCRIPT.match(said) else None)


def _said(command: Command) -> str:
    """The command as the rules read it: the program without its folder, and its words."""
    words = [command.name, *(word.text for word in command.arguments)]
    return " ".join(word for word in words if word and "\n" not in word)
