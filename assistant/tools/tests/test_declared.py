"""Each tool is declared once, and whole."""

import pytest

from allocations.vehicle_details import NAMES
from assistant.tools.registry import MODULES, TOOLS
from assistant.tools.sql.views import COLUMNS


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_tool_has_the_words_that_people_read_of_it(tool):
    done, doing = tool.labels
    assert doing.split()[0].endswith("ing")
    assert not done.split()[0].endswith("ing")
    assert done.split()[1:] == doing.split()[1:]
    # What a proposal comes to stands on its card; of all else the offline model has to say something.
    assert (tool.phrase is None) == tool.writes
    assert tool.description[0].isupper()
    assert tool.description.endswith((".", ")"))


def test_every_function_of_a_tool_s_module_that_takes_a_caller_and_arguments_is_one():
    functions = {
        name
        for module in MODULES
        for name, value in vars(module).items()
        if callable(value)
        and getattr(value, "__module__", "") == module.__name__
        and not name.startswith("_")
        and [*getattr(value, "__annotations__", {})][:2] == ["caller", "args"]
    }
    assert functions - set(TOOLS) <= {"one_allocation"}


def test_the_view_of_vehicles_has_their_details():
    assert set(NAMES) <= set(COLUMNS["vehicles"])
