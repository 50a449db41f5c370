"""What auditors ask for."""

from api.openapi.catalogue.answering import enveloped
from api.openapi.examples import audit_proofs as say
from api.openapi.shapes.audit_proofs import (
    AuditKeyAnswer,
    CheckpointAnswer,
    ConsistencyProofAnswer,
    InclusionProofAnswer,
)
from api.openapi.told import Answer, Told

_CHECKPOINT = "Checkpoint retrieved successfully"

AUDIT_PROOFS = {
    "get_audit_checkpoint": Told(
        "Get the latest checkpoint",
        {
            200: Answer(
                CheckpointAnswer,
                {
                    "signed": enveloped(_CHECKPOINT, say.CHECKPOINT),
                    "refused_since": enveloped(_CHECKPOINT, say.ALARMED),
                },
                "The checkpoint",
            )
        },
        refusals=("not_found",),
    ),
    "get_audit_key": Told(
        "Get the key checkpoints are signed with",
        {200: Answer(AuditKeyAnswer, {"key": enveloped("Audit key retrieved successfully", say.KEY)}, "The key")},
        refusals=("not_found",),
    ),
    "get_inclusion_proof": Told(
        "Prove that an event is in the log",
        {
            200: Answer(
                InclusionProofAnswer,
                {"second_of_three": enveloped("Inclusion proof retrieved successfully", say.INCLUSION)},
                "The proof",
            )
        },
        refusals=("not_found",),
    ),
    "get_consistency_proof": Told(
        "Prove that the log only grew",
        {
            200: Answer(
                ConsistencyProofAnswer,
                {"from_two_to_three": enveloped("Consistency proof retrieved successfully", say.CONSISTENCY)},
                "The proof",
            )
        },
        refusals=("not_found",),
    ),
}
