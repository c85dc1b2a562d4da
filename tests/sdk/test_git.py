"""What git tells, without touching anything of the user's."""

from __future__ import annotations

import os
from pathlib import Path

from agent_otel.sdk.git import Change, Repository


def test_the_tree_counts_uncommitted_edits_and_leaves_no_trace(repo: Path, git) -> None:
    """Index, object database and status are the same before and after."""
    (repo / "a.txt").write_text("edited\n")
    (repo / "untracked.txt").write_text("new\n")
    index = (repo / ".git" / "index").read_bytes()
    objects = sorted(str(path) for path in (repo / ".git" / "objects").rglob("*"))
    status = git(repo, "status", "--porcelain")
    repository = Repository.find(repo / "src")
    tree = repository.tree()
    repository.close()
    assert (repo / ".git" / "index").read_bytes() == index
    assert sorted(str(path) for path in (repo / ".git" / "objects").rglob("*")) == objects
    assert git(repo, "status", "--porcelain") == status
    git(repo, "add", "-A")
    assert tree == git(repo, "write-tree")


def test_staged_edits_stay_staged(repo: Path, git) -> None:
    """What the user has staged is neither lost nor added to."""
    (repo / "a.txt").write_text("staged\n")
    git(repo, "add", "a.txt")
    (repo / "a.txt").write_text("and edited\n")
    before = git(repo, "diff", "--cached")
    repository = Repository.find(repo)
    repository.tree()
    repository.close()
    assert git(repo, "diff", "--cached") == before


def test_equal_content_is_an_equal_tree(repo: Path) -> None:
    """An edit that is taken back gives the first tree again."""
    repository = Repository.find(repo)
    first = repository.tree()
    (repo / "a.txt").write_text("other\n")
    second = repository.tree()
    (repo / "a.txt").write_text("one\ntwo\n")
    assert repository.tree() == first != second
    repository.close()


def test_changes_between_trees(repo: Path, git) -> None:
    """Created, edited, deleted, moved and binary files, with odd names."""
    repository = Repository.find(repo)
    before = repository.tree()
    (repo / "a.txt").unlink()
    (repo / 'with "quotes"\tand tab').write_text("x\n")
    (repo / "bild.bin").write_bytes(b"\0\1\2")
    git(repo, "mv", "src/app.py", "src/ümlaut.py")
    after = repository.tree()
    changes = repository.changes(before, after)
    repository.close()
    assert sorted(changes, key=lambda change: change.path) == [
        Change(path="a.txt", operation="delete", added=0, removed=2),
        Change(path="bild.bin", operation="create"),
        Change(path="src/ümlaut.py", operation="move", added=0, removed=0, old_path="src/app.py"),
        Change(path='with "quotes"\tand tab', operation="create", added=1, removed=0),
    ]


def test_a_repository_without_commits_has_a_tree_and_no_commit(tmp_path: Path, git) -> None:
    """Before the first commit only the commit is missing."""
    git(tmp_path, "init", "--quiet", "--initial-branch=work")
    (tmp_path / "a").write_text("a")
    repository = Repository.find(tmp_path)
    base = repository.base()
    assert (base.commit, base.branch, base.dirty) == ("", "work", True)
    assert len(repository.tree()) == 40
    repository.close()


def test_a_detached_head_has_no_branch(repo: Path, git) -> None:
    """The commit is known, the branch is not."""
    git(repo, "checkout", "--quiet", "--detach")
    base = Repository.find(repo).base()
    assert (base.branch, base.commit) == ("", git(repo, "rev-parse", "HEAD"))


def test_a_repository_is_called_after_its_remote(repo: Path, git) -> None:
    """Whatever form the URL of the remote has."""
    for url in ("https://example.invalid/team/invite-app.git", "git@example.invalid:team/invite-app.git"):
        git(repo, "config", "remote.origin.url", url)
        base = Repository.find(repo).base()
        assert (base.repository, base.url) == ("invite-app", url)


def test_a_work_tree_beside_the_repository_is_one(repo: Path, git) -> None:
    """``git worktree`` has its index elsewhere, and its tree is found."""
    git(repo, "worktree", "add", "--quiet", str(repo.parent / "other"), "HEAD")
    repository = Repository.find(repo.parent / "other")
    assert repository.tree() == git(repo, "rev-parse", "HEAD^{tree}")
    repository.close()


def test_outside_of_a_repository_there_is_none(tmp_path: Path) -> None:
    """No repository, no answer; also where the folder is missing."""
    assert Repository.find(tmp_path) is None
    assert Repository.find(tmp_path / "missing") is None


def test_unknown_trees_have_no_changes(repo: Path) -> None:
    """Git's failure is "not recorded", never an exception."""
    repository = Repository.find(repo)
    assert repository.changes("0" * 40, "1" * 40) is None
    repository.close()


def test_an_edit_in_the_second_of_the_commit_counts(repo: Path, git) -> None:
    """Of the same size, too: by sizes and times alone git could not tell."""
    (repo / "a.txt").write_text("one\n")
    moment = (repo / "a.txt").stat().st_mtime_ns - 60_000_000_000
    os.utime(repo / "a.txt", ns=(moment, moment))
    git(repo, "add", "-A")
    staged = git(repo, "write-tree")
    os.utime(repo / ".git" / "index", ns=(moment, moment))
    (repo / "a.txt").write_text("two\n")
    os.utime(repo / "a.txt", ns=(moment, moment))
    repository = Repository.find(repo)
    assert repository.tree() != staged
    repository.close()


def test_the_diff_of_named_files_is_that_between_two_trees(tmp_path: Path, git) -> None:
    """Uncommitted edits count, strange names are taken as they are, and other files stay out."""
    git(tmp_path, "init", "-q")
    (tmp_path / "*.py").write_text("one\n")
    (tmp_path / "b.py").write_text("one\n")
    found = Repository.find(tmp_path)
    before = found.tree()
    (tmp_path / "*.py").write_text("two\n")
    (tmp_path / "b.py").write_text("two\n")
    patch = found.patch(before, found.tree(), ["*.py"])
    assert patch is not None
    assert patch.endswith("--- a/*.py\n+++ b/*.py\n@@ -1 +1 @@\n-one\n+two")
    assert patch.count("diff --git") == 1
    assert found.patch("0" * 40, before, ["b.py"]) is None
    found.close()


def test_what_was_deleted_and_who_did_it(repo: Path, git) -> None:
    """Each path once, with the last commit that took it away, the latest first; a move takes the old path away."""
    repository = Repository.find(repo)
    assert repository.deleted() == {}
    git(repo, "mv", "src/app.py", "src/ümlaut.py")
    git(repo, "commit", "--quiet", "--message=moved")
    moved = git(repo, "log", "-1", "--format=%h")
    (repo / "src" / "app.py").write_text("back\n")
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "--message=back")
    git(repo, "rm", "--quiet", "src/app.py", "a.txt")
    git(repo, "commit", "--quiet", "--message=gone")
    gone = git(repo, "log", "-1", "--format=%h")
    assert {path: last.commit for path, last in repository.deleted().items()} == {"src/app.py": gone, "a.txt": gone}
    assert repository.tracked() == {"src/ümlaut.py", ".gitignore"}
    assert moved != gone


def test_words_and_when_they_were_last_used(repo: Path, git) -> None:
    """Whole words, in files that are not left out; the commit that took the last one away."""
    repository = Repository.find(repo)
    (repo / "src" / "app.py").write_text("check_member()\ncheck_members()\n")
    (repo / "NEWS.md").write_text("check_guest came\n")
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "--message=words")
    words = ["check_member", "check_guest", "check"]
    assert repository.words_used(words, without=["**/*.md"]) == {"check_member"}
    assert repository.words_used(["never"]) == repository.words_used([]) == frozenset()
    (repo / "src" / "app.py").write_text("check_members()\n")
    git(repo, "commit", "--quiet", "--all", "--message=gone")
    last = repository.last_use("check_member", without=["**/*.md"])
    assert last is not None
    assert last.commit == git(repo, "log", "-1", "--format=%h")
    assert repository.last_use("check_guest", without=["**/*.md"]) is None
    assert repository.last_use("check") is None
    assert repository.last_use("check_member", timeout_s=0.000001) is None


def test_a_repository_without_commits_tracks_nothing(tmp_path: Path, git) -> None:
    """Nobody knows what it has had."""
    git(tmp_path, "init", "--quiet")
    repository = Repository.find(tmp_path)
    assert repository.tracked() is None
    assert repository.deleted() == {}
