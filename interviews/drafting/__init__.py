"""Door: an interview is drafted from a job description by the language model, and edited by a person."""
