"""The demonstration: one node with sample traffic, or three and a story that they live."""
