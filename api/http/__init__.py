"""Surface S, one file a URL noun, and what every route shares: identity, strict JSON, problems, envelope."""
