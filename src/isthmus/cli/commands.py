"""Which modules bring commands; importing one adds its commands to the application."""

from importlib import import_module

MODULES = (
    "setup",
    "loop",
    "learning",
    "keeping",
    "serving",
    "demo.command",
    "simulate",
    "check_leaks",
    "stream",
    "lists",
    "agreements",
    "exchange",
    "ledger",
    "assurance",
    "screen",
    "benchmark",
)


def load() -> None:
    """Bring all commands in."""
    for name in MODULES:
        import_module(f"isthmus.cli.{name}")
