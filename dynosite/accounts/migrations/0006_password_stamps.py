from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_failed_sign_ins'),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='password_stamp',
            field=models.DateTimeField(blank=True, editable=False, help_text='When the password was changed that this goes with.', null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='password_changed_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='API tokens of an older password open nothing.', null=True),
        ),
    ]
