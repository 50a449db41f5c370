"""Records of the directory, as the scenarios of the SynthesQ guide and its troubleshooting use them."""

from typing import Any

from domain.vocabulary import RecordKind

Json = dict[str, Any]

NEW: dict[RecordKind, Json] = {
    RecordKind.LEAD: {
        "name": "Pat Prospect",
        "status": "contacted",
        "source": "webinar",
        "email": "pat@prospect.example",
    },
    RecordKind.CUSTOMER: {"name": "Customer 575", "status": "active", "email": "office@customer575.example"},
    RecordKind.OPPORTUNITY: {
        "name": "Customer 575 - Department Expansion + Premium Support",
        "customer_id": "01hwxyz523abc456def789ghi0",
        "value": 85000.00,
        "expected_close_date": "2026-02-28",
        "stage": "qualification",
        "description": "Expand to 3 additional departments (250 additional users) + premium support tier upgrade.",
        "source": "qbr_meeting",
        "tags": ["expansion", "upsell"],
    },
    RecordKind.CONTACT: {
        "name": "John Smith",
        "email": "john@acmecorp.com",
        "phone": "+1-555-0200",
        "title": "CFO",
        "customer_id": "01hwxyz523abc456def789ghi0",
    },
    RecordKind.ACCOUNT: {"name": "Acme Corp", "phone": "+1-555-0100", "attributes": {"segment": "enterprise"}},
    RecordKind.USER: {
        "name": "Jane Manager",
        "email": "jane@yourcompany.com",
        "time_zone": "America/New_York",
    },
}
CHANGES: dict[RecordKind, Json] = {
    RecordKind.LEAD: {"status": "qualified", "notes": "Asked for a demo."},
    RecordKind.CUSTOMER: {
        "status": "at_risk",
        "notes": "Customer unresponsive for 14 days. Multiple missed calls. May be evaluating alternatives.",
        "tags": ["at-risk", "unresponsive"],
    },
    RecordKind.OPPORTUNITY: {
        "value": 175000.00,
        "probability": 40,
        "budget_confirmed": True,
        "authority_confirmed": True,
        "need_confirmed": True,
        "timeline_confirmed": True,
        "discovery_notes": "Requirements gathered. Integration with Salesforce + SAP required. 500 users. "
        "Mobile critical. Budget $150-200K. Q1 timeline.",
        "next_step": "Prepare demo focusing on integration capabilities",
    },
    RecordKind.CONTACT: {"title": "CEO", "phone": None},
    RecordKind.ACCOUNT: {"notes": "Renewal in June.", "tags": ["renewal"]},
    RecordKind.USER: {"time_zone": "Europe/Vienna"},
}
IDS = {
    RecordKind.LEAD: "01hwxyz723abc456def789ghi0",
    RecordKind.CUSTOMER: "01hwxyz523abc456def789ghi0",
    RecordKind.OPPORTUNITY: "01hwxyz923abc456def789ghi0",
    RecordKind.CONTACT: "01hwxyz123abc456def789ghi0",
    RecordKind.ACCOUNT: "acme",
    RecordKind.USER: "01hwxyz623abc456def789ghi0",
}


def shown(kind: RecordKind, version: int = 1) -> Json:
    """The record as it is answered, after its changes if its version is 2."""
    head = {"id": IDS[kind], "kind": kind.value}
    said = NEW[kind] | (CHANGES[kind] if version == 2 else {})
    tail = {
        "version": version,
        "created_at": "2025-12-01T09:00:00Z",
        "updated_at": f"2025-12-0{version}T09:00:00Z",
    }
    return head | {name: value for name, value in said.items() if value is not None} | tail


def history(kind: RecordKind) -> list[Json]:
    """How the record was made and changed."""
    made = {name: {"before": None, "after": value} for name, value in NEW[kind].items() if value is not None}
    changed = {name: {"before": NEW[kind].get(name), "after": value} for name, value in CHANGES[kind].items()}
    who = {"actor": {"id": IDS[RecordKind.USER], "name": "Jane Manager"}, "client": None, "reason": None}
    return [
        {
            "version": version,
            "position": 17 * version,
            "type": f"record.{done}.v1",
            "recorded_at": f"2025-12-0{version}T09:00:00Z",
            "happened_at": f"2025-12-0{version}T09:00:00Z",
            **who,
            "command_id": f"01KCPY6Q0V0123456789ABCD0{version}",
            "changes": changes,
        }
        for version, done, changes in ((1, "created", made), (2, "updated", changed))
    ]
