"""A decorated function is still the function: for readers, for inspect, for pickle and for copy."""

import asyncio
import copy
import functools
import inspect
import pickle
import typing

import pytest

from agent_otel.errors import SettingsError
from agent_otel.model import names
from agent_otel.sdk.tool import tool


def _original(path: str, why: str = "", *rest: int, deep: bool = False, **others: float) -> list[str]:
    """Reads a file.

    And says more about it.
    """
    return [path, why, *map(str, rest), str(deep), *others]


@tool
def read_file(path: str, why: str = "") -> str:
    """Reads a file."""
    return f"{path} {why}"


@tool
async def fetch(url: str) -> str:
    """Fetches."""
    return url


class Toolbox:
    """Methods of every kind, decorated."""

    def __init__(self, root: str) -> None:
        self.root = root

    @tool
    def method(self, name: str) -> str:
        """Joins."""
        return f"{self.root}/{name}"

    @tool
    @classmethod
    def above(cls, name: str) -> str:
        """Says the class."""
        return f"{cls.__name__} {name}"

    @classmethod
    @tool
    def below(cls, name: str) -> str:
        """Says the class."""
        return f"{cls.__name__} {name}"

    @tool
    @staticmethod
    def static(name: str) -> str:
        """Says the name."""
        return name

    @staticmethod
    @tool
    def static_below(name: str) -> str:
        """Says the name."""
        return name


class Greeter:
    """Greets."""

    def __init__(self, greeting: str) -> None:
        self.greeting = greeting

    def __call__(self, name: str) -> str:
        """Greets one."""
        return f"{self.greeting} {name}"


greet = tool(Greeter("hello"), name="greet")
greet_all = tool(functools.partial(_original, "all"), name="greet_all")


def test_name_docstring_signature_and_hints_are_those_of_the_original():
    """Nothing a reader or a schema generator looks at changes."""
    decorated = tool(_original)
    for attribute in ("__name__", "__qualname__", "__doc__", "__module__", "__defaults__", "__kwdefaults__"):
        assert getattr(decorated, attribute) == getattr(_original, attribute)
    assert inspect.signature(decorated) == inspect.signature(_original)
    assert typing.get_type_hints(decorated) == typing.get_type_hints(_original)
    assert inspect.isfunction(decorated)
    assert inspect.getsource(decorated) == inspect.getsource(_original)
    assert decorated.__wrapped__ is _original


def test_the_kind_of_function_is_that_of_the_original():
    """Frameworks ask before they call."""
    assert inspect.iscoroutinefunction(fetch)
    assert not inspect.iscoroutinefunction(read_file)
    assert inspect.ismethod(Toolbox("r").method)
    assert list(inspect.signature(Toolbox("r").method).parameters) == ["name"]
    assert list(inspect.signature(Toolbox.method).parameters) == ["self", "name"]


def test_a_coroutine_functions_call_is_a_coroutine(recording):
    """Tasks, gather and wait_for take it."""
    made = fetch("u")
    assert inspect.iscoroutine(made)
    assert asyncio.run(made) == "u"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_functions_pickle_by_name(protocol):
    """A process pool gets the decorated function."""
    assert pickle.loads(pickle.dumps(read_file, protocol)) is read_file
    assert pickle.loads(pickle.dumps(fetch, protocol)) is fetch


@pytest.mark.parametrize("name", ["method", "above", "below", "static", "static_below"])
def test_methods_pickle_with_what_they_are_bound_to(name):
    """On an instance and on the class."""
    box = Toolbox("src")
    for bound in (getattr(box, name), *([] if name == "method" else [getattr(Toolbox, name)])):
        assert pickle.loads(pickle.dumps(bound))("a") == bound("a")
    assert pickle.loads(pickle.dumps(Toolbox.method))(box, "a") == "src/a"


def test_objects_and_partials_pickle_decorated(recording):
    """What comes out of a pickle is recorded like what went in."""
    assert pickle.loads(pickle.dumps(greet))("you") == "hello you"
    assert pickle.loads(pickle.dumps(greet_all))("why") == ["all", "why", "False"]
    assert [span.attributes[names.TOOL_NAME] for span in recording.spans] == ["greet", "greet_all"]


def test_a_function_that_is_decorated_under_another_name_pickles_decorated(recording):
    """The module's own name still means the original."""
    again = pickle.loads(pickle.dumps(tool(_original, name="again")))
    assert again("p") == ["p", "", "False"]
    assert recording.span.attributes[names.TOOL_NAME] == "again"


def test_a_lambda_cannot_be_pickled_as_ever():
    """The error is pickle's own."""
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(tool(lambda: 1))


def test_copies_of_functions_are_the_function():
    """As for any function; also inside of a copied structure."""
    assert copy.copy(read_file) is read_file
    assert copy.deepcopy({"tools": [read_file]})["tools"][0] is read_file
    assert copy.deepcopy(Toolbox.__dict__["above"]) is Toolbox.__dict__["above"]


def test_copies_of_methods_are_bound_to_copies():
    """A deep copy goes with the copied instance, a shallow one stays."""
    box = Toolbox("src")
    deep = copy.deepcopy(box.method)
    shallow = copy.copy(box.method)
    box.root = "lib"
    assert deep("a") == "src/a"
    assert shallow("a") == "lib/a"


def test_copies_of_objects_are_decorated_copies(recording):
    """The copy has its own state, and is recorded."""
    original = tool(Greeter("hello"))
    for copied in (copy.copy(original), copy.deepcopy(original)):
        copied.__wrapped__.greeting = "bye"
        assert copied("you") == "bye you"
        assert original("you") == "hello you"
    assert len(recording.spans) == 4


def test_decorated_methods_can_be_inherited_and_called_through_super(recording):
    """The subclass's call is a call of the parent's tool."""

    class Special(Toolbox):
        def method(self, name: str) -> str:
            return super().method(name).upper()

    assert Special("src").method("a") == "SRC/A"
    assert Special.above("x") == "Special x"
    assert [span.attributes[names.TOOL_NAME] for span in recording.spans] == ["method", "above"]


def test_equality_and_hash_are_those_of_the_original():
    """A registry keyed by function finds it."""
    assert {read_file: 1}[read_file] == 1
    assert Toolbox("r").method.__func__ is not None


@pytest.mark.parametrize(
    ("function", "name", "description"),
    [
        (_original, "_original", "Reads a file."),
        (functools.partial(_original, "p"), "_original", "Reads a file."),
        (Greeter("hi"), "Greeter", "Greets."),
        (lambda: 1, "<lambda>", None),
        (Toolbox("r").method.__wrapped__, "method", "Joins."),
    ],
    ids=["function", "partial", "object", "lambda", "bound method"],
)
def test_name_and_description_are_read_off_the_function(function, name, description, recording):
    """The description is the first line of the docstring."""
    decorated = tool(function)
    try:
        decorated("a")
    except TypeError:
        decorated()
    span = recording.spans[-1]
    assert span.attributes[names.TOOL_NAME] == name
    assert span.attributes.get(names.TOOL_DESCRIPTION) == description
    assert span.attributes[names.TOOL_TYPE] == "function"


def test_options_say_name_and_kind(recording):
    """``@tool(...)``, ``@tool()`` and ``tool(function, ...)`` are one."""
    tool(name="search", kind="datastore")(_original)("a")
    tool()(_original)("a")
    tool(_original, name="other")("a")
    assert [span.name for span in recording.spans] == [
        "execute_tool search",
        "execute_tool _original",
        "execute_tool other",
    ]
    assert recording.spans[0].attributes[names.TOOL_TYPE] == "datastore"


def test_what_cannot_be_called_cannot_be_decorated():
    """It is said at once, and not when the agent runs."""
    with pytest.raises(SettingsError, match="can be called"):
        tool(3)  # type: ignore[call-overload] - the mistake under test


def test_names_that_no_exporter_could_send_are_repaired(recording):
    """A lone surrogate in a span name would drop the whole batch."""
    tool(lambda: 1, name="bad\udc80name")()
    assert recording.span.name == "execute_tool bad\ufffdname"


def test_long_names_are_cut(recording):
    """A span name stays a name."""
    tool(lambda: 1, name="n" * 10_000)()
    assert len(recording.span.name) < 300
