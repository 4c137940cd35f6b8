"""Which addresses an answer may lead to: pages of this site that show something, and nothing else."""

import re

from django.urls import Resolver404, resolve, reverse

from dynosite.lib.ground_address import own_address, split_ground

_PLAIN = re.compile(r"/[A-Za-z0-9/_\-.~%?&=+,:]*(?:#[\w\-]*)?")
"""No other host, no scheme, no backslash, no control character."""
_SHOWING = {
    "allocation-detail",
    "change-list",
    "dyno-detail",
    "dyno-list",
    "plan-detail",
    "plan-list",
    "request-detail",
    "request-list",
    "schedule",
    "vehicle-detail",
    "vehicle-list",
    "window-detail",
}


def is_own_page(address: str) -> bool:
    """Whether it is the path of a page of the schedule that only shows: no form, no sign-out, no other site."""
    if not _PLAIN.fullmatch(address) or address.startswith("//"):
        return False
    try:
        match = resolve(split_ground(re.split(r"[?#]", address)[0])[1])
    except Resolver404:
        return False
    return match.namespace == "allocations" and match.url_name in _SHOWING


def in_page(address: str) -> str:
    """An address of an answer as its page links to it: a page of this site in the ground of the conversation."""
    return own_address(address) if is_own_page(address) else address


def vehicle_page(pk: int) -> str:
    return reverse("allocations:vehicle-detail", args=[pk])


def dyno_page(pk: int) -> str:
    return reverse("allocations:dyno-detail", args=[pk])


def allocation_page(pk: int) -> str:
    return reverse("allocations:allocation-detail", args=[pk])
