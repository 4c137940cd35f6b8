import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('allocations', '0011_overrun'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='plan',
            name='attempts',
            field=models.PositiveSmallIntegerField(default=0, editable=False, help_text='How often a worker has taken it up since it was asked for.'),
        ),
        migrations.AddField(
            model_name='plan',
            name='held_until',
            field=models.DateTimeField(editable=False, help_text='Unless its worker renews it.', null=True),
        ),
        migrations.AddField(
            model_name='plan',
            name='holder',
            field=models.UUIDField(editable=False, help_text='Of the attempt that is under way.', null=True),
        ),
        migrations.AddField(
            model_name='plan',
            name='queued_at',
            field=models.DateTimeField(editable=False, help_text='When it was last handed to the workers.', null=True),
        ),
        migrations.AddField(
            model_name='plan',
            name='queued_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='plan',
            name='stop_asked',
            field=models.BooleanField(default=False, editable=False, help_text='Of the attempt that is under way.'),
        ),
        migrations.AddField(
            model_name='scenario',
            name='attempts',
            field=models.PositiveSmallIntegerField(default=0, editable=False, help_text='How often a worker has taken it up since it was asked for.'),
        ),
        migrations.AddField(
            model_name='scenario',
            name='held_until',
            field=models.DateTimeField(editable=False, help_text='Unless its worker renews it.', null=True),
        ),
        migrations.AddField(
            model_name='scenario',
            name='holder',
            field=models.UUIDField(editable=False, help_text='Of the attempt that is under way.', null=True),
        ),
        migrations.AddField(
            model_name='scenario',
            name='queued_at',
            field=models.DateTimeField(editable=False, help_text='When it was last handed to the workers.', null=True),
        ),
        migrations.AddField(
            model_name='scenario',
            name='queued_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='scenario',
            name='stop_asked',
            field=models.BooleanField(default=False, editable=False, help_text='Of the attempt that is under way.'),
        ),
        migrations.AddField(
            model_name='workbookimport',
            name='attempts',
            field=models.PositiveSmallIntegerField(default=0, editable=False, help_text='How often a worker has taken it up since it was asked for.'),
        ),
        migrations.AddField(
            model_name='workbookimport',
            name='held_until',
            field=models.DateTimeField(editable=False, help_text='Unless its worker renews it.', null=True),
        ),
        migrations.AddField(
            model_name='workbookimport',
            name='holder',
            field=models.UUIDField(editable=False, help_text='Of the attempt that is under way.', null=True),
        ),
        migrations.AddField(
            model_name='workbookimport',
            name='queued_at',
            field=models.DateTimeField(editable=False, help_text='When it was last handed to the workers.', null=True),
        ),
        migrations.AddField(
            model_name='workbookimport',
            name='queued_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='workbookimport',
            name='stop_asked',
            field=models.BooleanField(default=False, editable=False, help_text='Of the attempt that is under way.'),
        ),
    ]
