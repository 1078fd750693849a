"""Arithmetic as a graph; LLVM code from the graph; and machine code from that, cached on disk."""
