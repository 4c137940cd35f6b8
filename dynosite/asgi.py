import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dynosite.settings")


def build_application():
    site = get_asgi_application()
    from dynosite.ops.static import serve_static

    return serve_static(site)


application = build_application()
