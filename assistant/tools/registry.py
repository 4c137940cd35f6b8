"""All tools. Modules that declare some are imported here, in the order in which a model reads of them."""

from assistant.tools import read, maintenance_history  # isort: skip
from assistant.tools.sql import running  # isort: skip
from assistant.tools import proposals, planning  # isort: skip
from assistant.tools.caller import Caller
from assistant.tools.declaring import DECLARED, Tool

MODULES = (read, maintenance_history, running, proposals, planning)
TOOLS: dict[str, Tool] = dict(DECLARED)


def offered(caller: Caller) -> list[Tool]:
    """Returns the tools that this user may use here: viewers get none that write, and nobody one that an admin
    switched off.
    """
    off = set(caller.settings.tools_off)
    return [tool for tool in TOOLS.values() if caller.role.covers(tool.role) and tool.name not in off]
