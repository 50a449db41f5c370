"""The shapes of answers, as Pydantic models that only the document and the tests use."""
