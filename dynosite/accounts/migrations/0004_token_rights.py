from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_mail_notices")]

    operations = [
        # Tokens that are out there go on with what they could do; new ones only read unless said otherwise.
        migrations.AddField(
            model_name="apitoken",
            name="may_write",
            field=models.BooleanField(default=True, help_text="Otherwise it only reads."),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="may_write",
            field=models.BooleanField(default=False, help_text="Otherwise it only reads."),
        ),
    ]
