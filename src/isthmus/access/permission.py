"""What may be allowed: one permission for each act, and which acts belong to persons alone."""

from enum import StrEnum


class Permission(StrEnum):
    """One act that a role may allow. The value is the code shown to people and to systems."""

    UNIT_READ = "unit.read"
    UNIT_RECEIVE = "unit.receive"
    EVENT_RECEIVE = "event.receive"
    UNIT_SCORE = "unit.score"
    TARGET_RUN = "target.run"
    BUDGET_SET = "budget.set"
    PICK_READ = "pick.read"
    PICK_TAKE = "pick.take"
    PICK_CLEAR = "pick.clear"
    HOLD_READ = "hold.read"
    HOLD_PROPOSE = "hold.propose"
    HOLD_CONFIRM = "hold.confirm"
    HOLD_ACKNOWLEDGE = "hold.acknowledge"
    HOLD_RELEASE = "hold.release"
    INSPECTION_READ = "inspection.read"
    INSPECTION_ORDER = "inspection.order"
    INSPECTION_ACCEPT = "inspection.accept"
    INSPECTION_RECORD = "inspection.record"
    RULE_READ = "rule.read"
    RULE_WRITE = "rule.write"
    RULE_APPROVE = "rule.approve"
    MODEL_READ = "model.read"
    MODEL_TRAIN = "model.train"
    MODEL_APPROVE = "model.approve"
    QUARANTINE_READ = "quarantine.read"
    QUARANTINE_RETRY = "quarantine.retry"
    DOCUMENT_READ = "document.read"
    PERSON_DATA_READ = "person_data.read"
    ERASURE_PERFORM = "erasure.perform"
    LEGAL_HOLD_SET = "legal_hold.set"
    AUDIT_READ = "audit.read"
    LOOKUP_READ = "lookup.read"
    JOB_READ = "job.read"
    JOB_RETRY = "job.retry"
    ADMIN_PEOPLE = "admin.people"
    ADMIN_AGENCIES = "admin.agencies"
    TOKEN_ISSUE = "token.issue"  # noqa: S105 - the name of an act, no secret
    METRICS_READ = "metrics.read"
    BACKUP_PERFORM = "backup.perform"
    COVERAGE_READ = "coverage.read"
    LIST_READ = "list.read"
    LIST_TAKE = "list.take"
    SCREEN_QUERY = "screen.query"
    HIT_READ = "hit.read"
    HIT_JUDGE = "hit.judge"
    PARTNER_READ = "partner.read"
    PARTNER_PROPOSE = "partner.propose"
    PARTNER_COMPARE = "partner.compare"
    LEDGER_READ = "ledger.read"
    AGREEMENT_READ = "agreement.read"
    AGREEMENT_DRAFT = "agreement.draft"
    AGREEMENT_REVIEW = "agreement.review"
    AGREEMENT_ACTIVATE = "agreement.activate"
    AGREEMENT_SUSPEND = "agreement.suspend"
    OVERLAY_PROPOSE = "overlay.propose"
    OVERLAY_APPROVE = "overlay.approve"
    COMMITMENT_KEEP = "commitment.keep"
    COMMITMENT_VERIFY = "commitment.verify"
    ITEM_READ = "item.read"
    ITEM_WRITE = "item.write"
    ITEM_SEND = "item.send"
    ITEM_PERSONS = "item.persons"
    ITEM_RECALL = "item.recall"
    ITEM_RECEIVE = "item.receive"
    SEIZURE_READ = "seizure.read"
    SEIZURE_REGISTER = "seizure.register"
    CHAIN_READ = "chain.read"
    CHAIN_KEEP = "chain.keep"
    REQUEST_READ = "request.read"
    REQUEST_KEEP = "request.keep"


# A person decides: no system token and no job of the node may do these, whatever it was granted.
PERSON_ONLY = frozenset(
    {
        Permission.PICK_TAKE,
        Permission.PICK_CLEAR,
        Permission.HOLD_PROPOSE,
        Permission.HOLD_CONFIRM,
        Permission.INSPECTION_ORDER,
        Permission.INSPECTION_ACCEPT,
        Permission.INSPECTION_RECORD,
        Permission.HOLD_RELEASE,
        Permission.RULE_APPROVE,
        Permission.MODEL_APPROVE,
        Permission.PERSON_DATA_READ,
        Permission.ERASURE_PERFORM,
        Permission.LEGAL_HOLD_SET,
        Permission.LOOKUP_READ,
        Permission.ADMIN_PEOPLE,
        Permission.ADMIN_AGENCIES,
        Permission.TOKEN_ISSUE,
        Permission.HIT_JUDGE,
        Permission.PARTNER_PROPOSE,
        Permission.PARTNER_COMPARE,
        Permission.AGREEMENT_DRAFT,
        Permission.AGREEMENT_REVIEW,
        Permission.AGREEMENT_ACTIVATE,
        Permission.AGREEMENT_SUSPEND,
        Permission.OVERLAY_PROPOSE,
        Permission.OVERLAY_APPROVE,
        Permission.COMMITMENT_KEEP,
        Permission.COMMITMENT_VERIFY,
        Permission.ITEM_SEND,
        Permission.ITEM_PERSONS,
        Permission.ITEM_RECALL,
        Permission.SEIZURE_REGISTER,
        Permission.CHAIN_KEEP,
        Permission.REQUEST_KEEP,
    }
)

# What the node does by itself when a partner's envelope comes in: no role allows it to anybody.
NODE_ONLY = frozenset({Permission.ITEM_RECEIVE})

# Acts on one thing that stands somewhere: who is limited to offices or terminals may do them only
# where the place is named, so that a forgotten place refuses instead of allowing everywhere.
PLACED = frozenset(
    {
        Permission.PICK_TAKE,
        Permission.PICK_CLEAR,
        Permission.HOLD_PROPOSE,
        Permission.HOLD_CONFIRM,
        Permission.HOLD_ACKNOWLEDGE,
        Permission.HOLD_RELEASE,
        Permission.INSPECTION_ORDER,
        Permission.INSPECTION_ACCEPT,
        Permission.INSPECTION_RECORD,
        Permission.SEIZURE_REGISTER,
        Permission.CHAIN_KEEP,
    }
)
