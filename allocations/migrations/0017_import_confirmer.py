import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F


def name_who_confirmed(apps, schema_editor):
    """Who confirmed an import is who handed it to the workers last."""
    imports = apps.get_model('allocations', 'WorkbookImport').objects.using(schema_editor.connection.alias)
    imports.filter(state__in=('importing', 'stopping', 'done')).update(confirmed_by=F('queued_by'))


class Migration(migrations.Migration):

    dependencies = [
        ('allocations', '0016_dyno_warm_up'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='workbookimport',
            name='confirmed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(name_who_confirmed, migrations.RunPython.noop),
    ]
