import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dynosite.settings")


def build_application():
    site = get_asgi_application()
    from django.conf import settings

    from dynosite.ops.gate import StreamGate
    from dynosite.ops.proxy import NamedProxies
    from dynosite.ops.static import serve_static
    from dynosite.ops.wall import Wall

    inside = serve_static(StreamGate(site, most=settings.STREAMS_OPENED_AT_ONCE))
    return NamedProxies(Wall(inside, site=site), proxies=settings.NAMED_PROXIES)


application = build_application()
