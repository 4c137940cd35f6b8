"""Whether the assistant may be used at all: the kill switch, and on or off in a proving ground."""

from assistant.exceptions import Off
from assistant.models import AssistantSettings, KillSwitch


def expect_on(ground_id: int) -> None:
    """Raises Off, with the admin's reason where there is one."""
    switch = KillSwitch.current()
    if switch.off:
        raise Off(f"The assistant is switched off at the moment. {switch.reason}".strip())
    if not AssistantSettings.of(ground_id).enabled:
        raise Off("The assistant is switched off in this proving ground.")
