from django.apps import AppConfig


class DynositeConfig(AppConfig):
    name = "dynosite"

    def ready(self) -> None:
        from dynosite import checks  # noqa: F401 registers them
