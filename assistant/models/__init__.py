from assistant.models.conversation import Conversation, Feedback, Message
from assistant.models.governance import AssistantSettings, Budget, KillSwitch, Spend
from assistant.models.proposal import Proposal
from assistant.models.run import ModelCall, Run, ToolCall

__all__ = [
    "AssistantSettings",
    "Budget",
    "Conversation",
    "Feedback",
    "KillSwitch",
    "Message",
    "ModelCall",
    "Proposal",
    "Run",
    "Spend",
    "ToolCall",
]
