from django.urls import path

from allocations.web import schedule, stream

app_name = "allocations"
urlpatterns = [
    path("schedule/", schedule.board, name="schedule"),
    path("schedule/rows/", schedule.rows, name="schedule-rows"),
    path("schedule/stream/", stream.events, name="schedule-stream"),
    path("allocations/<int:pk>/card/", schedule.allocation_card, name="allocation-card"),
    path("maintenance/<int:pk>/", schedule.window, name="window-detail"),
    path("maintenance/<int:pk>/card/", schedule.window_card, name="window-card"),
]
