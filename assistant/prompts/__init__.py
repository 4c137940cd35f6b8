"""The system prompt: a text file each version, and the name of the one that is live. Its hash goes with each run."""

import hashlib
from functools import cache
from pathlib import Path

LIVE = "assistant-1"


@cache
def text(name: str = LIVE) -> str:
    return (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8")


@cache
def digest(name: str = LIVE) -> str:
    return hashlib.sha256(text(name).encode()).hexdigest()
