"""Capacity planning: how many pods, GPUs and stores N candidates take, and what they cost (docs/capacity.md).

An app only so that Django finds its command. It has no tables and asks no store.
"""
