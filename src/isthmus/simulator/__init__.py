"""The open generator of lawful trade and planted smuggling, in the formats that real systems send.

A world, its traders and its smuggling schemes are data (``worlds/``, ``schemes/``). From a seed
and a moment come documents in the order in which they would be sent, and, apart from them, the
truth about what was planted. Same seed and version: same bytes.
"""
