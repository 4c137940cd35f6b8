"""Placeholder."""

from django.http import HttpResponse


async def events(request):
    return HttpResponse("")
