// A second verifier of what the service signs, written from RFC 9162, RFC 8032 and C2SP alone, for node.
//
//   node verifier.mjs trees FILE    checks roots and proofs as tests/proofs/test_second_verifier.py writes them
//   node verifier.mjs bundle DIRECTORY VERIFIER_KEY
//
// Exit code 0: all is right; 1: something is not, and what.

import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const leafHash = (data) => sha256(Buffer.of(0), data);
const inner = (left, right) => sha256(Buffer.of(1), left, right);

// MTH, by its recursive definition. Perfect subtrees are remembered, or 1,025 trees would take long.
const remembered = new Map();
function treeHash(leaves, start, end) {
  if (start === end) return sha256(Buffer.alloc(0));
  if (end - start === 1) return leaves[start];
  const name = `${start}-${end}`;
  if (!remembered.has(name)) {
    let k = 1;
    while (2 * k < end - start) k *= 2;
    remembered.set(name, inner(treeHash(leaves, start, start + k), treeHash(leaves, start + k, end)));
  }
  return remembered.get(name);
}

// The root an inclusion path leads to, from the top down: the last hash is the sibling of the larger or smaller half.
function rootFromInclusion(index, size, leaf, path) {
  if (size === 1) {
    if (path.length) throw new Error('the path is too long');
    return leaf;
  }
  if (!path.length) throw new Error('the path is too short');
  let k = 1;
  while (2 * k < size) k *= 2;
  const sibling = path[path.length - 1];
  const rest = path.slice(0, -1);
  return index < k
    ? inner(rootFromInclusion(index, k, leaf, rest), sibling)
    : inner(sibling, rootFromInclusion(index - k, size - k, leaf, rest));
}

// Both roots a consistency path leads to, by the definition of SUBPROOF.
function rootsFromConsistency(first, size, whole, oldRoot, path) {
  if (first === size) {
    if (whole) {
      if (path.length) throw new Error('the path is too long');
      return [oldRoot, oldRoot];
    }
    if (path.length !== 1) throw new Error('the path has the wrong length');
    return [path[0], path[0]];
  }
  if (!path.length) throw new Error('the path is too short');
  let k = 1;
  while (2 * k < size) k *= 2;
  const sibling = path[path.length - 1];
  const rest = path.slice(0, -1);
  if (first <= k) {
    const [before, after] = rootsFromConsistency(first, k, whole, oldRoot, rest);
    return [before, inner(after, sibling)];
  }
  const [before, after] = rootsFromConsistency(first - k, size - k, false, oldRoot, rest);
  return [inner(sibling, before), inner(sibling, after)];
}

function need(holds, what) {
  if (!holds) throw new Error(what);
}

function trees(file) {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const leaves = [];
  let checked = 0;
  for (const line of lines) {
    const told = JSON.parse(line);
    while (leaves.length < told.size) leaves.push(leafHash(Buffer.from(String(leaves.length))));
    const root = treeHash(leaves, 0, told.size);
    need(root.toString('hex') === told.root, `another root over ${told.size}`);
    for (const { index, path } of told.inclusions) {
      const hashes = path.map((hash) => Buffer.from(hash, 'hex'));
      need(rootFromInclusion(index, told.size, leaves[index], hashes).equals(root), `${index} in ${told.size}`);
      checked += 1;
    }
    for (const { first, path } of told.consistencies) {
      const hashes = path.map((hash) => Buffer.from(hash, 'hex'));
      const old = treeHash(leaves, 0, first);
      const [before, after] = rootsFromConsistency(first, told.size, true, old, hashes);
      need(before.equals(old) && after.equals(root), `${first} to ${told.size}`);
      checked += 1;
    }
  }
  console.log(`ok: ${lines.length} trees, ${checked} proofs`);
}

function checkpoint(note, verifierKey) {
  const [origin, id, key] = verifierKey.split(/\+(.{8})\+/s);
  const raw = Buffer.from(key, 'base64');
  const [text, signatures] = note.split('\n\n');
  const lines = text.split('\n');
  need(lines[0] === origin, `the checkpoint is of ${lines[0]}`);
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw.subarray(1)]);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const ours = signatures.split('\n').filter((line) => line.startsWith(`\u2014 ${origin} `));
  const signed = ours.map((line) => Buffer.from(line.split(' ')[2], 'base64'));
  const right = signed.some(
    (one) => one.subarray(0, 4).toString('hex') === id && verify(null, Buffer.from(`${text}\n`), publicKey, one.subarray(4)),
  );
  need(right, 'the signature is not right');
  return [Number(lines[1]), Buffer.from(lines[2], 'base64')];
}

function prefixed(field) {
  const data = Buffer.from(field);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, data]);
}

function leafOf(event, organization) {
  if (event.redacted) return Buffer.from(event.leaf, 'hex');
  const pairs = Object.entries(event.metadata).map(([key, value]) => [Buffer.from(key), value]);
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  const state = event.state === undefined ? Buffer.from(event.state_base64, 'base64') : event.state;
  const fields = ['activities/leaf/v1', organization, String(event.position), event.stream, String(event.version)];
  fields.push(event.type, event.recorded_at, String(pairs.length), ...pairs.flat(), state);
  return leafHash(Buffer.concat(fields.map(prefixed)));
}

// Bundles of a whole log: from 1 to the checkpoint's size.
function bundle(directory, verifierKey) {
  const read = (name) => readFileSync(join(directory, name), 'utf8');
  const { organization } = JSON.parse(read('manifest.json'));
  const [size, root] = checkpoint(read('checkpoint.txt'), verifierKey);
  const events = read('events.ndjson').trim().split('\n').map(JSON.parse);
  need(events.every((event, n) => event.position === n + 1), 'an event is missing');
  const leaves = events.map((event) => leafOf(event, organization));
  need(leaves.length === size && treeHash(leaves, 0, size).equals(root), 'these are not the events that were signed');
  console.log(`ok: ${size} events`);
}

try {
  const [what, ...rest] = process.argv.slice(2);
  if (what === 'trees') trees(...rest);
  else bundle(...rest);
} catch (error) {
  console.log(error.message);
  process.exit(1);
}
