"""Context into threads: only when asked, then everywhere, and no longer than it should."""

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import context as otel_context, trace

from agent_otel.sdk.context import current_run
from agent_otel.sdk.run_scope import run
from agent_otel.sdk.threads import instrument_threads, propagate
from agent_otel.sdk.tool import tool


@pytest.fixture
def instrumented():
    """Instrumented threads."""
    with instrument_threads():
        yield


def _seen() -> tuple[int, str]:
    found = current_run()
    return trace.get_current_span().get_span_context().span_id, found.id if found is not None else ""


def _in_thread(function, make=threading.Thread):
    results = []
    thread = make(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_without_being_asked_nothing_changes(recording):
    """Patching threads is the application's decision."""
    before = (threading.Thread.start, ThreadPoolExecutor.submit)
    with run("x"):
        assert _in_thread(_seen) == (0, "")
    assert (threading.Thread.start, ThreadPoolExecutor.submit) == before


def test_a_thread_is_where_it_was_started(recording, instrumented):
    """Trace and run."""
    with run("x", id="run-1") as current:
        assert _in_thread(_seen) == (current.span.get_span_context().span_id, "run-1")
    assert _in_thread(_seen) == (0, "")


def test_a_subclass_with_a_run_of_its_own_too(recording, instrumented):
    """``Timer`` and everybody's ``class Worker(Thread)``."""
    seen = []

    class Worker(threading.Thread):
        def run(self) -> None:
            seen.append(_seen())

    with run("x", id="run-1"):
        worker = Worker()
        worker.start()
        worker.join()
        timer = threading.Timer(0, lambda: seen.append(_seen()))
        timer.start()
        timer.join()
    assert [run_id for _, run_id in seen] == ["run-1", "run-1"]


def test_each_task_of_a_pool_is_where_it_was_submitted(recording, instrumented):
    """Though one worker runs them all."""
    with ThreadPoolExecutor(1) as pool:
        with run("x", id="run-1"):
            first = pool.submit(_seen)
        with run("y", id="run-2"):
            second = pool.map(lambda _: _seen(), [1])
        third = pool.submit(_seen)
        assert [first.result()[1], next(second)[1], third.result()[1]] == ["run-1", "run-2", ""]


def test_tools_in_a_pool_are_children_of_the_tool_that_asked(recording, instrumented):
    """The tree shows who asked."""
    inner = tool(lambda: 1, name="inner")
    with ThreadPoolExecutor(2) as pool:
        tool(lambda: list(pool.map(lambda _: inner(), range(3))), name="outer")()
    (outer,) = [span for span in recording.spans if span.name == "execute_tool outer"]
    parents = {span.parent.span_id for span in recording.spans if span.name == "execute_tool inner"}
    assert parents == {outer.context.span_id}


def test_an_event_loops_executor_too(recording, instrumented):
    """``run_in_executor`` forgets the context by itself; ``to_thread`` does not."""

    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        return [(await loop.run_in_executor(None, _seen))[1], (await asyncio.to_thread(_seen))[1]]

    with run("x", id="run-1"):
        assert asyncio.run(main()) == ["run-1", "run-1"]


def test_results_exceptions_and_arguments_pass_through(recording, instrumented):
    """The pool's own behaviour stays."""

    def work(a, *, b):
        if b:
            raise KeyError(a)
        return a

    with run("x"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(work, 1, b=0).result() == 1
        with pytest.raises(KeyError):
            pool.submit(work, 1, b=1).result()
        with pytest.raises(TypeError):
            pool.submit()


def test_asking_twice_changes_nothing_and_both_must_be_undone():
    """Two libraries may ask; the last to leave puts things back."""
    before = (threading.Thread.__dict__["start"], ThreadPoolExecutor.__dict__["submit"])
    first = instrument_threads()
    patched = threading.Thread.__dict__["start"]
    with instrument_threads():
        assert threading.Thread.__dict__["start"] is patched
        first()
        first()
        assert threading.Thread.__dict__["start"] is patched
    assert (threading.Thread.__dict__["start"], ThreadPoolExecutor.__dict__["submit"]) == before


def test_undoing_leaves_other_peoples_patches_alone(recording):
    """Whoever patched later keeps their patch, and ours does nothing any more."""
    original = threading.Thread.__dict__["start"]
    undo = instrument_threads()
    ours = threading.Thread.__dict__["start"]

    def theirs(self):
        return ours.__get__(self, threading.Thread)()

    threading.Thread.start = theirs  # type: ignore[method-assign] - what such libraries do
    try:
        undo()
        assert threading.Thread.__dict__["start"] is theirs
        with run("x", id="run-1"):
            assert _in_thread(_seen) == (0, "")
    finally:
        threading.Thread.start = original  # type: ignore[method-assign] - back to what it was


def test_a_thread_that_is_kept_does_not_keep_the_trace(recording, instrumented):
    """The context is gone with the thread's work."""

    class Marker:
        pass

    marker = Marker()
    gone = weakref.ref(marker)
    token = otel_context.attach(otel_context.set_value("marker", marker))
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    otel_context.detach(token)
    del marker, token
    gc.collect()
    assert gone() is None
    assert "run" not in thread.__dict__


def test_propagate_binds_a_function_to_here(recording):
    """For one callback, without patching anything."""
    with run("x", id="run-1"):
        bound = propagate(_seen)
    assert _in_thread(bound)[1] == "run-1"
    assert bound()[1] == "run-1"
    assert _seen() == (0, "")
    assert bound.__name__ == "_seen"
