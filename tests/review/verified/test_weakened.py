"""Tests that a run weakened: what a unified diff shows of assertions, skips and tests, language by language."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.errors import DecodeError
from agent_otel.review.verified.languages import LANGUAGES
from agent_otel.review.verified.weakened import LONGEST_SIGN, MOST_SIGNS, ChangedTest, changed_tests, told


def edited(path: str, removed: tuple[str, ...] = (), added: tuple[str, ...] = ()) -> str:
    """The diff of a file that had some lines, and has others in their place."""
    lines = [*(f"-{line}" for line in removed), *(f"+{line}" for line in added)]
    hunk = f"@@ -1,{len(removed)} +1,{len(added)} @@" if removed else f"@@ -0,0 +1,{len(added)} @@"
    return "\n".join((f"diff --git a/{path} b/{path}", f"--- a/{path}", f"+++ b/{path}", hunk, *lines, ""))


ASSERTIONS = {
    "tests/test_a.py": ("    assert fizz(3) == 'fizz'", "        self.assertEqual(1, one())",
                        "    with pytest.raises(OSError):"),
    "a.test.ts": ("  expect(fizz(3)).toBe('fizz');", "  assert.equal(a, b)", "  a.should.equal(b)"),
    "a_test.go": ('\t\tt.Errorf("expected %d", 3)', "\trequire.NoError(t, err)", '\tt.Fatal("no")'),
    "src/test/java/ATest.java": ("    assertEquals(1, one());", "    verify(mock).run();",
                                 "    assertThat(a).isEqualTo(b);"),
    "spec/a_spec.rb": ("  expect(a).to eq(b)", "  assert_equal 1, one", "  a.should == b"),
    "tests/a.rs": ("    assert_eq!(one(), 1);", "    debug_assert!(ok);"),
    "UnitTests.cs": ("    Assert.Equal(1, One());", "    a.Should().Be(b);"),
    "ATest.php": ("        $this->assertSame(1, one());", "    expect($a)->toBe($b);"),
    "a_test.cc": ("  EXPECT_EQ(1, One());", "  assert(ok);"),
    "a.bats": ('  [ "$status" -eq 0 ]', "  assert_output hello"),
}  # fmt: skip
SKIPS = {
    "tests/test_a.py": ("@pytest.mark.skip(reason='flaky')", "@pytest.mark.xfail", "    pytest.skip('later')",
                        "@unittest.skipIf(X, '')", "        self.skipTest('x')", "@skip"),
    "a.spec.tsx": ("it.skip('a', () => {", "describe.only('a', () => {", "xit('a', () => {",
                   "test.todo('a')", "fdescribe('a', () => {"),
    "a_test.go": ('\tt.Skip("later")', "\tif testing.Short() {"),
    "src/test/kotlin/ATest.kt": ('    @Disabled("later")', "    @Ignore", "    assumeTrue(false)"),
    "spec/a_spec.rb": ("  xit 'works' do", "  pending", "  it 'works', skip: true do"),
    "tests/a.rs": ("    #[ignore]",),
    "UnitTests.cs": ('    [Fact(Skip = "later")]', '    [Ignore("later")]'),
    "ATest.php": ("        $this->markTestSkipped();",),
    "a_test.cc": ("TEST(Fizz, DISABLED_Three) {", "  GTEST_SKIP();"),
    "a.bats": ("  skip",),
}  # fmt: skip
TESTS = {
    "tests/test_a.py": "def test_three():", "a.test.js": "test('three', () => {",
    "a_test.go": "func TestThree(t *testing.T) {",
    "ATest.java": "    @Test", "spec/a_spec.rb": "  it 'says fizz' do", "tests/a.rs": "    #[test]",
    "UnitTests.cs": "    [Fact]",
    "ATest.php": "    public function testThree(): void", "a_test.cc": "TEST(Fizz, Three) {",
    "a.bats": '@test "three" {',
}  # fmt: skip


@pytest.mark.parametrize(("path", "line"), [(path, line) for path, lines in ASSERTIONS.items() for line in lines])
def test_an_assertion_that_is_gone_weakens(path: str, line: str) -> None:
    """And one that was rewritten, or came, does not."""
    (change,) = changed_tests(edited(path, (line,), ("  pass",)))
    assert (change.assertions_removed, change.skips_added, change.weakened) == (1, 0, True)
    assert change.signs == (f"- {line.strip()}",)
    for diff in (edited(path, (line,), (line + " ",)), edited(path, (), (line,))):
        assert not changed_tests(diff)[0].weakened


@pytest.mark.parametrize(("path", "line"), [(path, line) for path, lines in SKIPS.items() for line in lines])
def test_a_skip_that_came_weakens(path: str, line: str) -> None:
    """And one that is gone, or was there before, does not."""
    (change,) = changed_tests(edited(path, (), (line,)))
    assert (change.skips_added, change.weakened) == (1, True)
    assert change.signs == (f"+ {line.strip()}",)
    for diff in (edited(path, (line,), (line + " ",)), edited(path, (line,), ("x",))):
        assert changed_tests(diff)[0].skips_added == 0


@pytest.mark.parametrize("path", TESTS)
def test_a_test_that_is_gone_weakens(path: str) -> None:
    """By the line that begins it."""
    (change,) = changed_tests(edited(path, (TESTS[path],)))
    assert (change.tests_removed, change.weakened) == (1, True)


def test_every_language_has_its_examples() -> None:
    """A language that nobody tries is a promise."""
    tried = {LANGUAGES[path.rpartition(".")[2]] for table in (ASSERTIONS, SKIPS, TESTS) for path in table}
    assert tried == set(LANGUAGES.values())


def test_what_is_no_test_is_left_out() -> None:
    """An assertion in a program is not of its tests; a file of no known language was edited, no more."""
    diff = edited("src/a.py", ("assert ok",)) + edited("tests/data.json", ("1",)) + edited("tests/test_b.py", ("x",))
    assert changed_tests(diff) == (
        ChangedTest(path="tests/data.json", operation="edit"),
        ChangedTest(path="tests/test_b.py", operation="edit"),
    )
    assert changed_tests("") == ()


DELETED = """diff --git a/tests/test_a.py b/tests/test_a.py
deleted file mode 100644
index 1..0
--- a/tests/test_a.py
+++ /dev/null
@@ -1,2 +0,0 @@
-def test_a():
-    assert one() == 1
"""
CREATED = """diff --git a/tests/test_b.py b/tests/test_b.py
new file mode 100644
index 0..1
--- /dev/null
+++ b/tests/test_b.py
@@ -0,0 +1,2 @@
+@pytest.mark.skip
+def test_b():
"""
MOVED = """diff --git a/tests/test_a.py b/tests/unit/test_a.py
similarity index 100%
rename from tests/test_a.py
rename to tests/unit/test_a.py
"""
BINARY = """diff --git a/tests/data/a.bin b/tests/data/a.bin
index 1..2 100644
Binary files a/tests/data/a.bin and b/tests/data/a.bin differ
"""


def test_files_as_a_whole() -> None:
    """A deleted test weakens, whatever was in it; a new one cannot, and a moved one need not."""
    deleted, created, moved = changed_tests(DELETED + CREATED + MOVED)
    assert (deleted.operation, deleted.weakened, deleted.tests_removed) == ("delete", True, 1)
    assert (created.operation, created.weakened) == ("create", False)
    assert (moved.path, moved.operation, moved.weakened) == ("tests/unit/test_a.py", "move", False)
    assert [each.operation for each in changed_tests(BINARY)] == ["edit"]


def test_signs_are_few_and_short() -> None:
    """Skips first; the numbers tell the rest."""
    removed = tuple(f"    assert {number} == {'x' * 500}" for number in range(9))
    (change,) = changed_tests(edited("tests/test_a.py", removed, ("@pytest.mark.skip",)))
    assert (len(change.signs), change.signs[0]) == (MOST_SIGNS, "+ @pytest.mark.skip")
    assert max(map(len, change.signs)) == LONGEST_SIGN
    assert told(change) == "edited, 9 assertions fewer, 1 skip added"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (ChangedTest(path="a", operation="delete", tests_removed=2), "deleted, 2 tests fewer"),
        (ChangedTest(path="a", operation="move"), "moved"),
        (ChangedTest(path="a", operation="write"), "write"),
    ],
)
def test_a_change_is_told_in_words(change: ChangedTest, text: str) -> None:
    """What became of the file, then the numbers that are not none."""
    assert told(change) == text


@pytest.mark.parametrize("diff", ["--- a/tests/a.py\n+++ b/tests/a.py\n@@ -1,5 +1,5 @@\n-x\n", "@@ -1 +1 @@\n-x\n+y\n"])
def test_what_is_no_diff_is_an_error(diff: str) -> None:
    """A hunk that breaks off, or of no file."""
    with pytest.raises(DecodeError, match="not a unified diff"):
        changed_tests(diff)


@settings(deadline=None)
@given(st.text(max_size=200) | st.lists(st.sampled_from("+-@ \\")).map("".join), st.booleans())
def test_whatever_comes_is_read_or_an_error_of_ours(text: str, whole: bool) -> None:
    """Nothing else is raised."""
    with contextlib.suppress(DecodeError):
        changed_tests(text if whole else edited("tests/test_a.py", (text.replace("\n", " "),), ("y",)))
