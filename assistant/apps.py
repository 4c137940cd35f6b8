from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class AssistantConfig(AppConfig):
    name = "assistant"

    def ready(self) -> None:
        from assistant import checks, metrics  # noqa: F401
        from assistant.governance import setup

        pre_migrate.connect(setup.before_migrate, sender=self)
        post_migrate.connect(setup.after_migrate, sender=self)
        metrics.register()
