"""What the service is compared with: two ways one would otherwise write it, and the ceilings of the HTTP stack.

Each is an application of its own, served as ours is: one process, uvicorn with uvloop and httptools.
"""
