"""How tests look in each language: what asserts, what leaves a test out, and where a test begins.

Read line by line, in a diff: a table of patterns, not a parser. What it does not know it does not count.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Language(NamedTuple):
    """Patterns for a line that asserts something, that leaves tests out, and that begins a test."""

    asserts: re.Pattern[str]
    skips: re.Pattern[str]
    begins: re.Pattern[str]


def _language(asserts: str, skips: str, begins: str) -> Language:
    return Language(re.compile(asserts), re.compile(skips), re.compile(begins))


_PYTHON: Final = _language(
    r"^\s*assert\b|\bself\.assert\w+\(|\bpytest\.(?:raises|warns)\(|\.assert_\w+\(",
    r"\bpytest\.(?:mark\.(?:skip|skipif|xfail)|skip|xfail|importorskip)\b|\bself\.skipTest\(|\bSkipTest\b"
    r"|\bunittest\.(?:skip\w*|expectedFailure)\b|^\s*@(?:skip\w*|expectedFailure|xfail)\b",
    r"^\s*(?:async )?def test\w*\(",
)
_JAVASCRIPT: Final = _language(
    r"\b(?:expect|assert(?:\.\w+)*)\s*\(|\.should\b",
    r"\b(?:describe|it|test|context|suite|specify)\.(?:skip|only|todo|fixme|fails|failing|skipIf|runIf)\b"
    r"|\b(?:xit|xdescribe|xtest|xcontext|fit|fdescribe)\s*\(|\btest\.describe\.(?:skip|only|fixme)\b|\bthis\.skip\(",
    r"^\s*(?:it|test|specify)(?:\.\w+)*\s*[(`]",
)
_GO: Final = _language(
    r"\b[tb]\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\b(?:assert|require|is)\.\w+\(",
    r"\b[tb]\.Skip(?:f|Now)?\(|\btesting\.Short\(",
    r"^func (?:Test|Fuzz|Example)\w*\(",
)
_JVM: Final = _language(
    r"\b(?:assert\w*|verify\w*|expect\w*|should\w*)\s*[({]|\.should\w*\(",
    r"@(?:Disabled|Ignore)\w*|\bassume\w*\s*\(|\bxtest\w*\(",
    r"@(?:Test|ParameterizedTest|RepeatedTest|TestFactory|Property)\b",
)
_RUBY: Final = _language(
    r"\bexpect\s*[({]|\bassert(?:_\w+)?\b|\brefute(?:_\w+)?\b|\.should\b",
    r"^\s*(?:xit|xdescribe|xcontext|pending|skip|fit|fdescribe|fcontext)\b|:(?:skip|focus)\b|\b(?:skip|focus):",
    r"^\s*(?:it|specify|test)\s+['\"]|^\s*def test_",
)
_RUST: Final = _language(
    r"\b(?:debug_)?assert\w*!|\bpanic!|\bmatches!", r"#\[ignore\b", r"#\[(?:\w+::)*(?:test|rstest)\b"
)
_DOTNET: Final = _language(
    r"\bAssert\.\w+|\.Should\w*\(",
    r"\[(?:Ignore|Explicit)\b|\bSkip\s*=|\bAssert\.(?:Ignore|Inconclusive)\b",
    r"\[(?:Fact|Theory|Test|TestMethod|TestCase|DataTestMethod)\b",
)
_PHP: Final = _language(
    r"\bassert\w*\(|->expect\w*\(|\bexpect\(",
    r"\bmarkTest(?:Skipped|Incomplete)\(|->(?:skip|only|todo)\(|@doesNotPerformAssertions",
    r"\bfunction test\w*\(|@test\b|#\[Test\]|^\s*(?:it|test)\(",
)
_C: Final = _language(
    r"\b(?:EXPECT|ASSERT|CHECK|REQUIRE|TEST_ASSERT)\w*\s*\(|\bassert\s*\(",
    r"\bGTEST_SKIP\b|\bDISABLED_\w+|\bSKIP\s*\(",
    r"^\s*(?:TEST|TEST_F|TEST_P|TYPED_TEST|TEST_CASE|SCENARIO|BOOST_AUTO_TEST_CASE)\s*\(",
)
_SHELL: Final = _language(r"^\s*(?:assert\w*|refute\w*|\[\[? |test )", r"^\s*skip\b", r"^\s*@test\b")

LANGUAGES: Final[dict[str, Language]] = {
    **dict.fromkeys(("py",), _PYTHON),
    **dict.fromkeys(("js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts", "vue", "svelte"), _JAVASCRIPT),
    **dict.fromkeys(("go",), _GO),
    **dict.fromkeys(("java", "kt", "kts", "scala", "groovy"), _JVM),
    **dict.fromkeys(("rb",), _RUBY),
    **dict.fromkeys(("rs",), _RUST),
    **dict.fromkeys(("cs", "fs", "vb"), _DOTNET),
    **dict.fromkeys(("php",), _PHP),
    **dict.fromkeys(("c", "cc", "cpp", "cxx", "h", "hpp", "m", "mm"), _C),
    **dict.fromkeys(("bats", "sh", "bash"), _SHELL),
}
"""The ending of a file's name, in small letters, to its language."""
