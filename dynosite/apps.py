from django.apps import AppConfig
from django.contrib.admin import apps


class DynositeConfig(AppConfig):
    default = True
    name = "dynosite"

    def ready(self) -> None:
        from dynosite import checks  # noqa: F401 registers them


class AdministrationConfig(apps.AdminConfig):
    default = False
    default_site = "dynosite.admin_site.AdministrationSite"
