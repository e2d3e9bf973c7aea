"""Families of kernels, one module each: which rows to measure, how to check the kernels, how to make a row ready."""
