"""Door: the page on which a candidate’s interview is heard, read and corrected."""
