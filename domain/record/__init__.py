"""The directory record: a lead, customer, opportunity, contact, account or user that activities refer to."""
