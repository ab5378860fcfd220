"""The loop: receive, score, target, inspect, learn; one file a step, and the table of reactions."""
