"""Which files command lines read and change, where that is certain."""

from __future__ import annotations

import pytest

from agent_otel.compaction.shell.effects import Effect, effects


def read(path: str, lines: str = "", *, sure: bool = True) -> Effect:
    """A file that is read."""
    return Effect("read", path, lines=lines, sure=sure)


PATCH = """*** Begin Patch
*** Update File: a.py
*** Move to: b.py
*** Add File: c.py
*** Delete File: d.py
*** End Patch"""
PATCHED = [
    Effect("edit", "a.py"),
    Effect("move", "b.py", old_path="a.py"),
    Effect("create", "c.py"),
    Effect("delete", "d.py"),
]

DIFF = """diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py\t2026-01-01
@@ -1 +1 @@
-x
+y
--- /dev/null
+++ b/n.py
@@ -0,0 +1 @@
+y
--- a/o.py
+++ /dev/null
@@ -1 +0,0 @@
-x"""
DIFFED = [Effect("edit", "a.py"), Effect("create", "n.py"), Effect("delete", "o.py")]

EFFECTS = [
    ("cat a.py b.py", [read("a.py"), read("b.py")]),
    ("cat -n a.py", [read("a.py")]),
    ("cat -- -a.py", [read("-a.py")]),
    ("cat a.py | head -50", [read("a.py")]),
    ("nl -ba a.py | sed -n '5,9p'", [read("a.py")]),
    ("head -n 20 a.py", [read("a.py")]),
    ("sed -n '1,80p' src/a.py", [read("src/a.py", "1-80")]),
    ("sed -n '5p' a.py", [read("a.py", "5-5")]),
    ("sed -n '5,$p' a.py", [read("a.py", "5-")]),
    ("sed -n -e '1,5p' a.py", [read("a.py")]),
    ("rg -n foo src/a.py src", [read("src/a.py")]),
    ("grep -e foo a.py", [read("a.py")]),
    ("grep foo -r .", []),
    ("cat $F *.py", []),
    ("cat /etc/passwd ~/.netrc /tmp/x", []),
    ("cat < a.py", [read("a.py")]),
    ("cd x; cat a.py", [read("x/a.py")]),
    ("cd /repo/x/ && cat ./a.py /repo/b.py", [read("/repo/x/a.py"), read("/repo/b.py")]),
    ("cd x && cd y && mv a.py b.py", [Effect("move", "x/y/b.py", old_path="x/y/a.py")]),
    ("cd $D && cat a.py /repo/b.py", [read("/repo/b.py")]),
    ("cd && cat a.py", []),
    ("cd - && cat a.py", []),
    ("cd x || cat a.py", []),
    ("cd $D && cd x && cat a.py", []),
    ("(cd x && cat a.py) && (cat b.py) && cat c.py", [read("x/a.py"), read("b.py"), read("c.py")]),
    ("pushd x && cat a.py && popd && cat b.py", [read("x/a.py")]),
    ("cd x && bash -c 'cat a.py'", [read("x/a.py")]),
    ("wc -l a.py", []),
    ("cat a.py; ls", [read("a.py", sure=False)]),
    ("cat a.py || ls", [read("a.py", sure=False)]),
    ("for f in x; do cat a.py; done", [read("a.py", sure=False)]),
    ("bash -c 'cat a.py'", [read("a.py")]),
    ("bash -c 'cat a.py' | head", [read("a.py")]),
    ("timeout 5 cat a.py", [read("a.py")]),
    ("sed -i 's/x/y/' a.py", [Effect("edit", "a.py")]),
    ("sed -i.bak -e s/x/y/ a.py", [Effect("edit", "a.py")]),
    ("sed -Ei 's/x/y/' a.py", [Effect("edit", "a.py")]),
    ("sed -i 's/x/y/' a.py | cat", [Effect("edit", "a.py", sure=False)]),
    ("echo x > out.txt && ls", [Effect("write", "out.txt")]),
    ("echo x >> $OUT", []),
    ("make 2>&1 > /dev/null", []),
    ("make > /tmp/log", []),
    ("cat <<E > new.py\nx\nE", [Effect("write", "new.py")]),
    ("echo x | tee a.txt", [Effect("write", "a.txt")]),
    ("touch a.txt", [Effect("write", "a.txt")]),
    ("rm -f a.py build", [Effect("delete", "a.py")]),
    ("mv a.py b.py", [Effect("move", "b.py", old_path="a.py")]),
    ("mv a.py dir/", []),
    ("mv a.py b.py c", []),
    ("cp a.py b.py", [Effect("write", "b.py")]),
    ("cp -r a b", []),
    ("git mv a.py Makefile", [Effect("move", "Makefile", old_path="a.py")]),
    ("git rm -q a.py", [Effect("delete", "a.py")]),
    ("git -C x rm a.py", []),
    (f"git apply <<'P'\n{DIFF}\nP", DIFFED),
    (f"cd x && patch -p1 <<'P'\n{DIFF}\nP", [effect._replace(path="x/" + effect.path) for effect in DIFFED]),
    (f"patch -p0 <<'P'\n{DIFF}\nP", [Effect("edit", "b/a.py"), Effect("create", "b/n.py"), Effect("delete", "a/o.py")]),
    (f"git apply -R <<'P'\n{DIFF}\nP", []),
    (f"patch a.py <<'P'\n{DIFF}\nP", []),
    ("git apply x.patch", []),
    ("git status", []),
    ("git", []),
    (f"apply_patch <<'P'\n{PATCH}\nP", PATCHED),
    (f"apply_patch '{PATCH}'", PATCHED),
    ("apply_patch nothing", []),
    ("python3 - <<E\nopen('a.py', 'w')\nE", []),
    ("unknown a.py", []),
    ("> a.py", [Effect("write", "a.py")]),
]


@pytest.mark.parametrize(("line", "expected"), EFFECTS, ids=range(len(EFFECTS)))
def test_lines_have_effects(line: str, expected: list[Effect]) -> None:
    """Only what the line says for certain; ``sure`` where the line's success is that of the command."""
    assert effects(line) == expected
