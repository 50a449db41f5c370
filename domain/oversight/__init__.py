"""Oversight: work upon the whole log or its tables (an export, a replay, a rebuild): auditors are audited too."""
