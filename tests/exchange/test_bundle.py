"""A proof bundle where neither node is: it verifies, and one flipped bit fails and says where."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from exchange.test_post import carry
from isthmus.access.model import Role
from isthmus.exchange import upkeep
from isthmus.exchange.proof import bundle, proofs

CHECK = Path(__file__).with_name("bundle_check.py")
FEWEST = 2_000


def proved(panama, antwerp):
    """A small bundle: one field, made by its sender."""
    sent = panama.put(antwerp.code, panama.item(reason="weight"))
    carry(panama, antwerp)
    upkeep.seal_ledger(panama.database)
    actor = panama.staff[Role.SUPERVISOR]
    return panama.database.write(lambda tx: proofs.prove(tx, actor, sent))


def test_one_flipped_bit_anywhere_fails_and_says_where(both, tmp_path):
    raw = proved(*both)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "proof").write_bytes(raw)
    shutil.copy(CHECK, elsewhere / "check.py")
    seed = time.time_ns() % 1_000_000
    # No folder of a node, no settings, no variables: the file and the program alone.
    ran = subprocess.run(
        [sys.executable, "-I", "check.py", "proof", str(seed)],
        cwd=elsewhere, env={}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    print(f"\nseed {seed}: {found['flips']:,} bits flipped in {len(raw):,} bytes; {found['where']}")
    assert (found["whole"], found["wrong"]) == (True, [])
    assert found["flips"] >= max(FEWEST, len(raw))
    assert found["passed"] == []
    assert found["nowhere"] == []
    assert {"envelope", "receipt", "inclusions", "digest", "bundle"} <= set(found["where"])


def test_a_signature_in_capitals_is_another_bundle_and_refused(both):
    """The same signature written a second way would be a second bundle of one exchange."""
    raw = proved(*both)
    held = json.loads(raw)
    held["envelope"]["signature"] = held["envelope"]["signature"].upper()
    held["digest"] = bundle._digest(held)
    again = json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    shown, findings = bundle.verify(again)
    assert shown is None
    assert [(one.where, one.code) for one in findings] == [("envelope", "statement_malformed")]
