"""Text that is synthesised once and stored; voices, and cloned voices."""
