"""Proof of a log of three events, as it is answered. The key is one anybody can make: 00 01 02 ... 1f."""

LEAF = "2215e8ac4e2b871c2a48189e79738c956c081e23ac2f2415bf77da199dfd920c"
ROOT = "725d5230db68f557470dc35f1d8865813acd7ebb07ad152774141decbae71327"
NOTE = (
    "activities/acme\n3\ncl1SMNto9VdHDcNfHYhlgTrNfrsHrRUndBQd7LrnEyc=\n\n\N{EM DASH} activities/acme "
    "fA+DqFTskHiNB5FfABeV9JpTOJCbsoXISGzvaYAtJBRac2wI6hSYNTX3mHjvqjxgjjPhpig+s2kMeIaXW1arv4bhcwo=\n"
)
_FIRST = "db3426e878068d28d269b6c87172322ce5372b65756d0789001d34835f601c03"
_THIRD = "fa61e3dec3439589f4784c893bf321d0084f04c572c7af2b68e3f3360a35b486"

CHECKPOINT = {
    "size": 3,
    "root": ROOT,
    "note": NOTE,
    "signed_at": "2025-12-20T14:00:02Z",
    "unsigned": 0,
    "alarm": None,
}
ALARMED = CHECKPOINT | {
    "unsigned": 2,
    "alarm": {
        "position": 4,
        "reason": "is not what it was when the tree took it in",
        "found_at": "2025-12-21T09:00:00Z",
    },
}
KEY = {
    "origin": "activities/acme",
    "verifier_key": "activities/acme+7c0f83a8+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
    "public_key": "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    "fingerprint": "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c",
}
INCLUSION = {"position": 2, "leaf": LEAF, "size": 3, "root": ROOT, "hashes": [_FIRST, _THIRD], "note": NOTE}
CONSISTENCY = {
    "from": 2,
    "to": 3,
    "from_root": "cb00989d94a569c0a678ae042b63dcd4625db96440517f37a6eb7976ea24ed4b",
    "to_root": ROOT,
    "hashes": [_THIRD],
}
