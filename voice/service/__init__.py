"""What callers ask the speech service for, and how the work is asked of a worker."""
