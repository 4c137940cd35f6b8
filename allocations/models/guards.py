"""What the database itself refuses, whoever writes.

One occupant a dyno-day and one place a vehicle-day hold across two tables, allocations and maintenance windows, so
their days are kept in a third, `Occupancy`, which only the triggers below write. A trigger takes the old row out and
puts the new one in with ON CONFLICT DO NOTHING, and raises when none came: no writer waits on another's violation.
"""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import BigIntegerField, F, Func, Q, Value

from allocations.rulebook import MAX_STAY_DAYS
from dynosite.lib.days import DayRange


class _IntegerRange(Func):
    function = "int8range"
    output_field = BigIntegerField()


class _DayRange(Func):
    function = "daterange"
    output_field = DateRangeField()


def _one_stay_a_day(of: str, *, name: str, condition: Q | None = None) -> ExclusionConstraint:
    # A range of one id stands for equality: GiST has no = on integers without the contrib module btree_gist.
    return ExclusionConstraint(
        name=name,
        expressions=[
            (_IntegerRange(F(of), F(of), Value("[]")), "&&"),
            (_DayRange(F("first_day"), F("last_day"), Value("[]")), "&&"),
        ],
        condition=condition,
    )


class Occupancy(models.Model):
    """The days that a dyno, and a vehicle if it is an allocation, is taken. Written by triggers only."""

    dyno = models.ForeignKey(
        "Dyno", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    vehicle = models.ForeignKey(
        "Vehicle", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    first_day = models.DateField()
    last_day = models.DateField()
    allocation = models.OneToOneField(
        "Allocation", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="occupancy"
    )
    window = models.OneToOneField(
        "MaintenanceWindow", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="occupancy"
    )

    class Meta:
        constraints = [
            _one_stay_a_day("dyno", name="dyno_day_once"),
            _one_stay_a_day("vehicle", name="vehicle_day_once", condition=Q(vehicle__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["dyno", "first_day", "last_day"], name="occupancy_dyno_days"),
            models.Index(
                fields=["vehicle", "first_day", "last_day"],
                name="occupancy_vehicle_days",
                condition=Q(vehicle__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="only_triggers_write",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("pg_trigger_depth() = 0"),
            ),
            pgtrigger.Trigger(
                name="emptied_with_its_sources",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Truncate,
                func="""
                    IF EXISTS (SELECT 1 FROM allocations_allocation WHERE status <> 'cancelled')
                        OR EXISTS (SELECT 1 FROM allocations_maintenancewindow WHERE lifted_at IS NULL) THEN
                        RAISE EXCEPTION 'the days of allocations and maintenance windows cannot be truncated'
                            USING ERRCODE = 'raise_exception';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(DayRange(self.first_day, self.last_day))


def occupies(*, key: str, vehicle: str, absent: str) -> pgtrigger.Trigger:
    """The trigger that keeps a table's share of `Occupancy`.

    `key` is the occupancy's column for the row's id, `vehicle` an SQL expression of NEW, and `absent` an SQL template
    that is true for a row that takes no place.
    """
    return pgtrigger.Trigger(
        name="occupies",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=f"""
            IF TG_OP = 'UPDATE' THEN
                IF NEW.id = OLD.id AND NEW.dyno_id = OLD.dyno_id
                    AND NEW.first_day = OLD.first_day AND NEW.last_day = OLD.last_day
                    AND {vehicle.format(row="NEW")} IS NOT DISTINCT FROM {vehicle.format(row="OLD")}
                    AND ({absent.format(row="NEW")}) = ({absent.format(row="OLD")}) THEN
                    RETURN NULL;
                END IF;
            END IF;
            IF TG_OP <> 'INSERT' THEN
                DELETE FROM allocations_occupancy WHERE {key} = OLD.id;
            END IF;
            IF TG_OP = 'DELETE' THEN
                RETURN NULL;
            END IF;
            IF {absent.format(row="NEW")} THEN
                RETURN NULL;
            END IF;
            INSERT INTO allocations_occupancy (dyno_id, vehicle_id, first_day, last_day, {key})
                VALUES (NEW.dyno_id, {vehicle.format(row="NEW")}, NEW.first_day, NEW.last_day, NEW.id)
                ON CONFLICT DO NOTHING;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'another stay has dyno % or the vehicle between % and %',
                    NEW.dyno_id, NEW.first_day, NEW.last_day
                    USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'one_stay_a_day',
                        TABLE = 'allocations_occupancy';
            END IF;
            RETURN NULL;
        """,
    )


def frees_all(key: str) -> pgtrigger.Trigger:
    """Takes a table's share out of `Occupancy` when the table is truncated, which fires no trigger for a row."""
    return pgtrigger.Trigger(
        name="frees_all",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Truncate,
        func=f"DELETE FROM allocations_occupancy WHERE {key} IS NOT NULL; RETURN NULL;",
    )


def within_ground(*tables: tuple[str, str]) -> pgtrigger.Trigger:
    """Refuses a row that points at another ground's row; `tables` are pairs of a column and its table."""
    checks = " ".join(
        f"""
        IF NEW.{column} IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.{column} IS DISTINCT FROM OLD.{column})
            AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.id = NEW.{column} AND t.ground_id = NEW.ground_id) THEN
            RAISE EXCEPTION '{column} % belongs to another proving ground', NEW.{column}
                USING ERRCODE = 'check_violation', CONSTRAINT = 'within_ground';
        END IF;"""
        for column, table in tables
    )
    return pgtrigger.Trigger(
        name="within_ground",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=checks + " RETURN NEW;",
    )


def same_ground(one: tuple[str, str], other: tuple[str, str]) -> pgtrigger.Trigger:
    """Refuses a row, of no ground itself, that joins rows of two grounds."""
    return pgtrigger.Trigger(
        name="same_ground",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF (SELECT ground_id FROM {one[1]} WHERE id = NEW.{one[0]})
                IS DISTINCT FROM (SELECT ground_id FROM {other[1]} WHERE id = NEW.{other[0]}) THEN
                RAISE EXCEPTION '{one[0]} % and {other[0]} % are not of one proving ground',
                    NEW.{one[0]}, NEW.{other[0]}
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'same_ground';
            END IF;
            RETURN NEW;
        """,
    )


def stay_checks(prefix: str) -> list[models.CheckConstraint]:
    return [
        models.CheckConstraint(
            condition=Q(last_day__gte=F("first_day")),
            name=f"{prefix}_days_order",
            violation_error_message="The last day is before the first.",
        ),
        models.CheckConstraint(
            condition=Q(last_day__lt=F("first_day") + Value(MAX_STAY_DAYS)),
            name=f"{prefix}_days_length",
            violation_error_message=f"{MAX_STAY_DAYS} days at the longest.",
        ),
    ]
