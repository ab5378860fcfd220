"""Write the next revision: ``python -m isthmus.migrations.revise "Add the seals"``.

A scratch SQLite database is brought to the newest revision, compared with what the areas' tables
say now, and the difference becomes a numbered script, to be read and corrected by a person: a
rename shows as a loss and a gain, and how data move only a person knows.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic.autogenerate.api import RevisionContext
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from isthmus.kernel.time import SystemClock
from isthmus.migrations import migrate
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing


def revise(message: str, place: Path = migrate.PLACE) -> Path | None:
    """Write the next script and return its path, or nothing when the schema is up to date."""
    directory = migrate.scripts(place)
    number = len(list(directory.walk_revisions())) + 1
    config = Config()
    config.set_main_option("script_location", str(place))
    revision = RevisionContext(
        config,
        directory,
        {
            "message": message,
            "autogenerate": True,
            "sql": False,
            "head": "head",
            "splice": False,
            "branch_label": None,
            "version_path": None,
            "rev_id": f"{number:04d}",
            "depends_on": None,
        },
    )

    def compare(stands: Any, context: MigrationContext) -> list[Any]:
        revision.run_autogenerate(stands, context)
        return []

    with tempfile.TemporaryDirectory() as scratch:
        database = Database(f"sqlite:///{scratch}/scratch.db", SystemClock(), KeyRing.generate())
        try:
            migrate.upgrade(database, place=place)
            migrate.run(database, directory, compare, template_args=revision.template_args)
        finally:
            database.close()
    operations = revision.generated_revisions[-1].upgrade_ops
    if operations is None or operations.is_empty():
        return None
    script = next(iter(revision.generate_scripts()))
    if script is None:
        return None
    path = Path(script.path)
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", path], check=True)  # noqa: S603
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        sys.exit('say what changes: python -m isthmus.migrations.revise "Add the seals"')
    print(revise(sys.argv[1]) or "the schema is up to date")
