"""Commands of a node, one file a subject; ``--json`` prints one object and nothing else."""
