from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("allocations", "0010_notices_of_many")]

    operations = [
        migrations.AddIndex(
            model_name="allocation",
            index=models.Index(
                condition=models.Q(("status", "running")), fields=["dyno", "last_day"], name="allocation_running"
            ),
        ),
    ]
