from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_token_rights'),
    ]

    operations = [
        # What counted them before, in a table that grew for good.
        migrations.RunSQL(
            "DROP TABLE IF EXISTS axes_accessattemptexpiration, axes_accessattempt, axes_accesslog, axes_accessfailurelog;"
            "DELETE FROM django_migrations WHERE app = 'axes'",
            migrations.RunSQL.noop,
        ),
        migrations.CreateModel(
            name='FailedSignIns',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('address', 'from an address'), ('browser', 'by a browser that has signed in before'), ('name', 'for a name, by browsers that have not'), ('pair', 'for a name from an address')], max_length=10)),
                ('name', models.CharField(blank=True, max_length=150)),
                ('address', models.CharField(blank=True, max_length=60)),
                ('browser', models.CharField(blank=True, max_length=32)),
                ('failures', models.FloatField(default=0)),
                ('last_at', models.DateTimeField()),
                ('wait_until', models.DateTimeField(blank=True, help_text='Until then no password is tried.', null=True)),
            ],
            options={
                'verbose_name': 'failed sign-ins',
                'verbose_name_plural': 'failed sign-ins',
                'ordering': ['-last_at'],
                'indexes': [models.Index(fields=['last_at'], name='failed_sign_ins_last')],
                'constraints': [models.UniqueConstraint(fields=('scope', 'name', 'address', 'browser'), name='failed_sign_ins_once')],
            },
        ),
    ]
