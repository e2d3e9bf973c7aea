"""Kernels of our own, each with a plain PyTorch reference of higher precision beside it."""
