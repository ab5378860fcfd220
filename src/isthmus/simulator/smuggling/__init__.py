"""What is hidden: schemes, the groups that use them, traces, and what officers find."""
