"""The one place that says which address a request comes from. Limits, lock-outs and logs by address ask here."""

import ipaddress

from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104 not an address to listen at: it stands for clients that have none
"""Of a request without an address, as over a Unix socket: all of them count together."""
IPV6_SITE_BITS = 64
"""What one subscriber is given at the least; within it addresses cost nothing."""


def client_address(request: HttpRequest) -> str:
    """The client's address as text, never empty and always a valid one.

    `dynosite.ops.proxy` has put there what a proxy says of its client, if the proxy is one that
    FORWARDED_ALLOW_IPS names; no header is read here, since anybody can send one.
    """
    return normal(request.META.get("REMOTE_ADDR", ""))


def normal(address: str) -> str:
    """The usual form of an address, IPv4 within IPv6 as IPv4; `UNKNOWN` where it is none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return UNKNOWN
    if parsed.version == 6:
        # Without the zone of a link-local address, which names one of the server's own interfaces.
        return str(parsed.ipv4_mapped or ipaddress.IPv6Address(int(parsed)))
    return str(parsed)


def network(address: str) -> str:
    """What a limit by address should count together: an IPv4 address, or the /64 of an IPv6 one."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((int(parsed), IPV6_SITE_BITS), strict=False))
