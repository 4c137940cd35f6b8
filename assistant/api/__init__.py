"""The assistant for programs: REST under `/api/v1/assistant/`, with a session or a token."""
