"""Proof for auditors: checkpoints, keys, and proofs of the tree."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.openapi.shapes.envelope import Answer


class Alarm(BaseModel):
    """What the signer found: the log is not what was signed."""

    position: int = Field(description="The first event at fault")
    reason: str = Field(description="What is wrong with it")
    found_at: datetime = Field(description="When that was found")


class Checkpoint(BaseModel):
    """A signed statement of what the log is."""

    size: int
    root: str
    note: str
    signed_at: datetime = Field(description="When it was signed")
    unsigned: int = Field(description="Events that came after it")
    alarm: Alarm | None = Field(description="Why nothing later is signed; null: nothing is wrong")


class AuditKey(BaseModel):
    """Who signs."""

    origin: str
    verifier_key: str = Field(description="What `verify.py --key` takes: origin, key id and key")
    public_key: str = Field(description="The Ed25519 key, in hex")
    fingerprint: str = Field(description="SHA-256 of the key, in hex; the same for all organisations")


class InclusionProof(BaseModel):
    """That an event is in the tree."""

    position: int
    leaf: str
    size: int
    root: str
    hashes: list[str]
    note: str


class ConsistencyProof(BaseModel):
    """That one tree is the beginning of another."""

    since: int = Field(serialization_alias="from", description="The size of the earlier tree")
    to: int = Field(description="The size of the later tree")
    from_root: str = Field(description="The root of the earlier tree, in hex")
    to_root: str = Field(description="The root of the later tree, in hex")
    hashes: list[str]


class CheckpointAnswer(Answer[Checkpoint]):
    """The latest checkpoint."""


class AuditKeyAnswer(Answer[AuditKey]):
    """The key checkpoints are signed with."""


class InclusionProofAnswer(Answer[InclusionProof]):
    """A proof of inclusion."""


class ConsistencyProofAnswer(Answer[ConsistencyProof]):
    """A proof of consistency."""
