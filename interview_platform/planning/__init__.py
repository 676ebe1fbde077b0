"""How many pods, GPUs and stores N candidates take, and what they cost (docs/capacity.md)."""
