"""HTTP addresses of the candidate's pages."""

from django.urls import path

from interviews.candidate import pages
from interviews.correcting import pages as correcting
from interviews.groups.pages import declare
from interviews.inviting.mail_events import mail_events
from interviews.inviting.reminders import end_reminders
from interviews.open_links import pages as open_links
from interviews.privacy import pages as privacy

app_name = "interviews"
urlpatterns = [
    path("i/<str:token>/", pages.landing, name="landing"),
    path("i/<str:token>/room/", pages.room, name="room"),
    path("i/<str:token>/new-link/", pages.new_link, name="new_link"),
    path("i/<str:token>/data/", privacy.your_data, name="data"),
    path("i/<str:token>/data/download/", privacy.download, name="download"),
    path("i/<str:token>/data/withdraw/", privacy.withdraw, name="withdraw"),
    path("i/<str:token>/answers/", correcting.heard, name="heard"),
    path("i/<str:token>/answers/<uuid:answer_id>/", correcting.change, name="change_heard"),
    path("i/<str:token>/answers/<uuid:answer_id>/recording/", correcting.recording, name="own_recording"),
    path("i/<str:token>/groups/", declare, name="groups"),
    path("open/<str:token>/", open_links.apply, name="open_link"),
    path("open/confirm/<str:token>/", open_links.confirm, name="confirm"),
    path("i/<str:token>/reminders/", end_reminders, name="reminders"),
    path("mail/events/", mail_events, name="mail_events"),
]
