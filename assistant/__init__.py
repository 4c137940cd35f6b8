import os

# Before LangGraph is first imported: checkpoints bring back no types but those that it knows.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
