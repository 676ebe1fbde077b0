"""REST addresses of interviews, for programs."""
