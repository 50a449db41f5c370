"""What releases before the seals stored in plain is sealed in place: once, at the upgrade, before a tree covers it."""
