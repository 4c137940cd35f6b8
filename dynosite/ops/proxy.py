"""What a proxy in front says of its client: believed of the proxies that FORWARDED_ALLOW_IPS names, of nobody else.

uvicorn has the same, but believes every program on this machine unless told otherwise; it is switched off wherever
Dynosite starts it.
"""

from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from dynosite.lib.addresses import normal


class NamedProxies:
    """Puts the client's address and scheme into the scope, as the nearest proxy that is named has them."""

    def __init__(self, application: Any, *, proxies: list[str]) -> None:
        self._application = ProxyHeadersMiddleware(application, trusted_hosts=proxies)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if client := scope.get("client"):
            # A socket that listens on IPv6 has IPv4 clients as ::ffff:192.0.2.1, which no setting names.
            scope = scope | {"client": (normal(client[0]), client[1])}
        # Uvicorn's types want a TypedDict for each kind of scope.
        await self._application(scope, receive, send)  # type: ignore[arg-type]
