"""Personal data in the speech service: where it lies, and how it is erased and found."""
