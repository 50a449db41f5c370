"""Logins for analysts: who may ask the database itself, and of which organisation."""
