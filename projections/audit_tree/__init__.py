"""Each organisation's Merkle tree over its log: grown behind the read tables, asked for proofs, held against rows."""
