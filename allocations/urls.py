from django.urls import path

from allocations.web import allocation, booking, changes, dynos, maintenance, requests, schedule, stream, vehicles

app_name = "allocations"
urlpatterns = [
    path("schedule/", schedule.board, name="schedule"),
    path("schedule/rows/", schedule.rows, name="schedule-rows"),
    path("schedule/stream/", stream.events, name="schedule-stream"),
    path("allocations/new/", booking.create, name="allocation-create"),
    path("allocations/<int:pk>/", allocation.detail, name="allocation-detail"),
    path("allocations/<int:pk>/move/", allocation.move, name="allocation-move"),
    path("allocations/<int:pk>/start/", allocation.start, name="allocation-start"),
    path("allocations/<int:pk>/complete/", allocation.complete, name="allocation-complete"),
    path("allocations/<int:pk>/cancel/", allocation.cancel, name="allocation-cancel"),
    path("allocations/<int:pk>/card/", schedule.allocation_card, name="allocation-card"),
    path("maintenance/new/", maintenance.create, name="window-create"),
    path("maintenance/<int:pk>/change/", maintenance.change, name="window-change"),
    path("maintenance/<int:pk>/lift/", maintenance.lift, name="window-lift"),
    path("maintenance/<int:pk>/", schedule.window, name="window-detail"),
    path("maintenance/<int:pk>/card/", schedule.window_card, name="window-card"),
    path("requests/", requests.index, name="request-list"),
    path("requests/new/", requests.create, name="request-create"),
    path("requests/<int:pk>/", requests.detail, name="request-detail"),
    path("requests/<int:pk>/change/", requests.edit, name="request-edit"),
    path("requests/<int:pk>/cancel/", requests.cancel, name="request-cancel"),
    path("vehicles/", vehicles.index, name="vehicle-list"),
    path("vehicles/new/", vehicles.create, name="vehicle-create"),
    path("vehicles/<int:pk>/", vehicles.detail, name="vehicle-detail"),
    path("vehicles/<int:pk>/change/", vehicles.edit, name="vehicle-edit"),
    path("dynos/", dynos.index, name="dyno-list"),
    path("dynos/new/", dynos.create, name="dyno-create"),
    path("dynos/<int:pk>/", dynos.detail, name="dyno-detail"),
    path("dynos/<int:pk>/change/", dynos.edit, name="dyno-edit"),
    path("changes/", changes.index, name="change-list"),
    path("changes/<uuid:pk>/undo/", changes.undo_change, name="change-undo"),
]
