"""The OpenAPI document and its page: what people read and clients are generated from.

Routes say what they take. What they answer is said here: answers are made as bytes, so these shapes check nothing at
run time, and tests hold them against what the service really says.
"""
