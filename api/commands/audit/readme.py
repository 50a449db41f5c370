"""What a bundle says of itself to people."""

README = """\
Audit bundle: events {first} to {last} of {origin}, under a signed checkpoint of {size} events.

Verify it, offline, with nothing but Python 3.8 or later:

    python3 verify.py --key VERIFIER_KEY

VERIFIER_KEY is what `activities audit key --organization ...` prints on the signer's machine. Have it from somebody you
trust, by another way than this bundle; likewise a copy of verify.py, or read it: it is one file. Exit code 0: these
are the events that were signed; 1: they are not, and the first one at fault is named; 2: it cannot be told.

If you kept a checkpoint from before (`--known FILE`), the log must have grown from it. If you kept receipts (the
header Audit-Receipt, `--receipt` or `--receipts FILE`), the events must be what was promised. Keep checkpoint.txt for
next time, where nobody who runs the service can change it.

manifest.json    whose events, which, and the hashes of the tree before and after them
checkpoint.txt   the signed checkpoint (C2SP tlog-checkpoint)
earlier.json     some of the earlier checkpoints: they tell where a wrong tree goes wrong
events.ndjson    the events as stored, one a line; a redacted one has a leaf and no content
leaves.bin       the leaves the tree has of them, 32 bytes each
verify.py        the verifier

What it proves: nothing was changed, taken out, put between or put in another order since it was signed, and the log is
that of this organisation. What it does not prove: that what was recorded is true; that an event nobody has a receipt of
was not left out before the first checkpoint over its place; and that others are shown the same checkpoints as you:
compare yours with theirs.
"""
