"""The assistant's part of the administration. Importing it registers its models."""

from assistant.admin import audit, runs, switches

__all__ = ["audit", "runs", "switches"]
