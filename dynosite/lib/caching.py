"""What the cache keeps is JSON. Django's own way is pickle, with which whoever writes to Redis runs code in here."""

import json
from typing import Any


class JsonSerializer:
    """For `RedisCache`. A tuple comes back as a list; what is no JSON is refused when it is set."""

    def dumps(self, value: Any) -> bytes | int:
        if type(value) is int:
            return value  # as Redis' own number, which it can increment
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        """None, as if it were not there, for what an earlier release or somebody else has left."""
        try:
            return json.loads(data)
        except ValueError:
            return None
