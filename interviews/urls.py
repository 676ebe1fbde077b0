"""HTTP addresses of the candidate's pages."""

from django.urls import path

from interviews import views

app_name = "interviews"
urlpatterns = [
    path("i/<str:token>/", views.landing, name="landing"),
    path("i/<str:token>/room/", views.room, name="room"),
]
