"""Arithmetic as a graph, from there to LLVM code, and from there to functions of this machine, kept on disk."""
