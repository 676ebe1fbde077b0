"""Text that is spoken once and kept; voices, and cloned voices."""
