"""The pages of the audit, for owners: who read, heard, exported or changed which candidate's data."""
