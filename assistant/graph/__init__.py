"""The agent's graph: the only room that knows LangGraph."""
