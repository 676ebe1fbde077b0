"""Pages that look across interviews: search in what was said, and candidates with their history."""
