"""What each role allows, and the purpose it serves: data, read by whoever builds an actor."""

from collections.abc import Mapping
from dataclasses import dataclass

from isthmus.access.model import Purpose, Role
from isthmus.access.permission import Permission as P


@dataclass(frozen=True, slots=True)
class RoleTerms:
    """The acts a role allows and the purpose it serves by itself."""

    permissions: frozenset[P]
    purpose: Purpose


_ANALYST = frozenset(
    {
        P.UNIT_READ,
        P.UNIT_RECEIVE,
        P.EVENT_RECEIVE,
        P.UNIT_SCORE,
        P.TARGET_RUN,
        P.PICK_READ,
        P.PICK_TAKE,
        P.PICK_CLEAR,
        P.HOLD_READ,
        P.HOLD_PROPOSE,
        P.INSPECTION_READ,
        P.INSPECTION_ORDER,
        P.RULE_READ,
        P.RULE_WRITE,
        P.MODEL_READ,
        P.MODEL_TRAIN,
        P.QUARANTINE_READ,
        P.QUARANTINE_RETRY,
        P.DOCUMENT_READ,
        P.PERSON_DATA_READ,
        P.COVERAGE_READ,
        P.LIST_READ,
        P.SCREEN_QUERY,
        P.HIT_READ,
        P.HIT_JUDGE,
        P.PARTNER_READ,
        P.AGREEMENT_READ,
        P.COMMITMENT_KEEP,
        P.ITEM_READ,
        P.ITEM_WRITE,
        P.ITEM_SEND,
        P.ITEM_PERSONS,
        P.SEIZURE_READ,
        P.SEIZURE_REGISTER,
        P.CHAIN_READ,
        P.CHAIN_KEEP,
        P.REQUEST_READ,
        P.REQUEST_KEEP,
    }
)

ROLES: Mapping[Role, RoleTerms] = {
    Role.ADMINISTRATOR: RoleTerms(
        frozenset(
            {
                P.ADMIN_PEOPLE,
                P.ADMIN_AGENCIES,
                P.TOKEN_ISSUE,
                P.JOB_READ,
                P.JOB_RETRY,
                P.METRICS_READ,
                P.BACKUP_PERFORM,
                P.COVERAGE_READ,
            }
        ),
        Purpose.ADMINISTRATION,
    ),
    Role.ANALYST: RoleTerms(_ANALYST, Purpose.TARGETING),
    Role.SUPERVISOR: RoleTerms(
        _ANALYST
        | {
            P.BUDGET_SET,
            P.HOLD_CONFIRM,
            P.HOLD_RELEASE,
            P.INSPECTION_ACCEPT,
            P.INSPECTION_RECORD,
            P.RULE_APPROVE,
            P.MODEL_APPROVE,
            P.JOB_READ,
            P.LIST_TAKE,
            P.PARTNER_PROPOSE,
            P.PARTNER_COMPARE,
            P.LEDGER_READ,
            P.AGREEMENT_ACTIVATE,
            P.AGREEMENT_SUSPEND,
            P.OVERLAY_PROPOSE,
            P.OVERLAY_APPROVE,
            P.COMMITMENT_VERIFY,
            P.ITEM_RECALL,
        },
        Purpose.TARGETING,
    ),
    Role.INSPECTOR: RoleTerms(
        frozenset(
            {
                P.UNIT_READ,
                P.PICK_READ,
                P.HOLD_READ,
                P.INSPECTION_READ,
                P.INSPECTION_ACCEPT,
                P.INSPECTION_RECORD,
                P.DOCUMENT_READ,
                P.PERSON_DATA_READ,
                P.ITEM_READ,
                P.SEIZURE_READ,
                P.SEIZURE_REGISTER,
                P.CHAIN_READ,
                P.CHAIN_KEEP,
            }
        ),
        Purpose.INSPECTION,
    ),
    # A terminal learns which box to keep, never why: no risk, no declaration.
    Role.TERMINAL: RoleTerms(
        frozenset({P.HOLD_READ, P.HOLD_ACKNOWLEDGE, P.EVENT_RECEIVE}), Purpose.INSPECTION
    ),
    Role.AUDITOR: RoleTerms(
        frozenset(
            {
                P.AUDIT_READ,
                P.LOOKUP_READ,
                P.UNIT_READ,
                P.PICK_READ,
                P.HOLD_READ,
                P.INSPECTION_READ,
                P.RULE_READ,
                P.MODEL_READ,
                P.JOB_READ,
                P.METRICS_READ,
                P.COVERAGE_READ,
                P.LIST_READ,
                P.HIT_READ,
                P.PARTNER_READ,
                P.LEDGER_READ,
                P.AGREEMENT_READ,
                P.ITEM_READ,
                P.SEIZURE_READ,
                P.CHAIN_READ,
                P.REQUEST_READ,
            }
        ),
        Purpose.SUPERVISION,
    ),
    Role.DATA_PROTECTION_OFFICER: RoleTerms(
        frozenset(
            {
                P.AUDIT_READ,
                P.LOOKUP_READ,
                P.PERSON_DATA_READ,
                P.ERASURE_PERFORM,
                P.LEGAL_HOLD_SET,
                P.RULE_READ,
                P.MODEL_READ,
                P.COVERAGE_READ,
                P.LIST_READ,
                P.HIT_READ,
                P.PARTNER_READ,
                P.LEDGER_READ,
                P.AGREEMENT_READ,
                P.ITEM_READ,
                P.ITEM_PERSONS,
                P.ITEM_RECALL,
            }
        ),
        Purpose.DATA_PROTECTION,
    ),
    Role.MODEL_APPROVER: RoleTerms(
        frozenset({P.MODEL_READ, P.MODEL_APPROVE, P.RULE_READ, P.COVERAGE_READ}),
        Purpose.SUPERVISION,
    ),
    Role.RULE_AUTHOR: RoleTerms(
        frozenset({P.UNIT_READ, P.PICK_READ, P.RULE_READ, P.RULE_WRITE, P.COVERAGE_READ}),
        Purpose.TARGETING,
    ),
    Role.LEGAL_OFFICER: RoleTerms(
        frozenset(
            {
                P.AGREEMENT_READ,
                P.AGREEMENT_DRAFT,
                P.AGREEMENT_REVIEW,
                P.AGREEMENT_ACTIVATE,
                P.AGREEMENT_SUSPEND,
                P.OVERLAY_PROPOSE,
                P.OVERLAY_APPROVE,
                P.COMMITMENT_KEEP,
                P.COMMITMENT_VERIFY,
                P.PARTNER_READ,
                P.COVERAGE_READ,
            }
        ),
        Purpose.SUPERVISION,
    ),
    Role.SYSTEM: RoleTerms(
        frozenset(
            {
                P.UNIT_READ,
                P.UNIT_RECEIVE,
                P.EVENT_RECEIVE,
                P.UNIT_SCORE,
                P.PICK_READ,
                P.HOLD_READ,
                P.INSPECTION_READ,
                P.QUARANTINE_READ,
                P.JOB_READ,
                P.METRICS_READ,
                P.COVERAGE_READ,
                P.SCREEN_QUERY,
            }
        ),
        Purpose.TARGETING,
    ),
}
