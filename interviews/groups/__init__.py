"""Door: candidates say to which groups they belong, if they like; owners say what is asked."""
