"""What is told of each operation, by operationId."""

from collections.abc import Mapping

from api.openapi.catalogue.account_activities import ACCOUNT_ACTIVITIES
from api.openapi.catalogue.activities import ACTIVITIES
from api.openapi.catalogue.activity_commands import ACTIVITY_COMMANDS
from api.openapi.catalogue.audit import AUDIT
from api.openapi.catalogue.audit_proofs import AUDIT_PROOFS
from api.openapi.catalogue.directory import DIRECTORY
from api.openapi.catalogue.erasure import ERASURE
from api.openapi.catalogue.others import OTHERS
from api.openapi.told import Told

OPERATIONS: Mapping[str, Told] = {
    **ACTIVITIES,
    **ACTIVITY_COMMANDS,
    **DIRECTORY,
    **AUDIT,
    **ERASURE,
    **AUDIT_PROOFS,
    **OTHERS,
    **ACCOUNT_ACTIVITIES,
}
