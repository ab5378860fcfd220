"""What stands beside the step of sharing: what goes, what came of it, what follows it."""
