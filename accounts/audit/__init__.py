"""The audit: who read, heard, exported or changed which candidate's data (docs/audit.md)."""
