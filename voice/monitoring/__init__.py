"""What is told of the speech service: metrics, statistics, readiness."""
