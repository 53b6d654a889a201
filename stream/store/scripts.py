"""The three commands that this room sends: Lua scripts, each atomic, each guarded by owner and seq in meta.

Why scripts and not WATCH with MULTI: guard and effect are one round trip; a command that fails keeps meta from
being written, whereas EXEC goes on behind it; and one reply instead of one a command makes the client ten times
cheaper (benchmarks/checkpoint.py). The price is Redis's: it serves nobody else for 15-25 ms with 10,000 subjects
and 20,000 fields, where EXEC takes 6-11 ms after the queueing.

Every key is declared, so that Redis Cluster and ACLs refuse a script before it has done anything. ``EVAL`` with the
text, not ``EVALSHA``: it is 1 kB beside a checkpoint of a megabyte, and a Redis that restarted needs no second try.

A Redis user of the application's own needs the keys ``{app:*`` and the commands EVAL, INFO, HMGET, HSET, HDEL,
HGETALL, HKEYS, ZADD, ZREM, ZRANGE and UNLINK; in a Redis Cluster also CLUSTER SLOTS and ASKING;
and for ``bonus migrate`` SCAN and ZMSCORE.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from stream.store.layout import FORMAT, Edits, Layout, encode_buckets

Command = tuple[str | bytes | int, ...]
"""A Redis command: its name and arguments."""


class MetaAnswer(NamedTuple):
    """What a take answers: a partition's meta as it is afterwards, ``None`` for what is not there."""

    owner: bytes | None
    seq: bytes | None
    format: bytes | None
    torn: bytes | None
    buckets: bytes | None
    body: bytes | None


# A take is for whoever it was asked by only while meta is as the asker last saw it: a request that a slow network
# delivers late can't take the partition back from a newer owner.
_TAKE = """\
local meta = KEYS[1]
local seen = redis.call('HMGET', meta, 'owner', 'seq', 'format', 'torn')
if (seen[1] or '') == ARGV[1] and (seen[2] or '') == ARGV[2]
    and not seen[4] and (seen[3] or ARGV[5]) == ARGV[5] then
  local reply = redis.pcall('HSET', meta, 'owner', ARGV[3], 'seq', ARGV[4], 'format', ARGV[5])
  if type(reply) == 'table' then return reply end
end
return redis.call('HMGET', meta, 'owner', 'seq', 'format', 'torn', 'buckets', 'body')
"""

# What Redis did stays done when a later command fails: `torn` tells a later take that state is ahead of positions.
# The same checkpoint written again to its end takes the mark away.
_WRITE = """\
local meta = KEYS[1]
local guard = redis.call('HMGET', meta, 'owner', 'seq')
if guard[1] ~= ARGV[1] or guard[2] ~= ARGV[2] then return guard end
for i, edit in ipairs(cmsgpack.unpack(ARGV[6])) do
  local reply = redis.pcall(edit[1], KEYS[i + 1], unpack(edit, 2))
  if type(reply) == 'table' and reply.err then
    if i > 1 then redis.call('HSET', meta, 'torn', KEYS[i + 1]) end
    return reply
  end
end
local reply = redis.pcall('HSET', meta, 'seq', ARGV[3], 'buckets', ARGV[4], 'body', ARGV[5])
if type(reply) == 'table' then return reply end
redis.call('HDEL', meta, 'torn')
return {ARGV[1], ARGV[3]}
"""

# Stops after the query that fills the answer; the asker goes on from there.
_READ = """\
local answer = redis.call('HMGET', KEYS[1], 'owner', 'seq')
if answer[1] ~= ARGV[1] or answer[2] ~= ARGV[2] then return answer end
local room = tonumber(ARGV[3])
local replies = {}
for i, query in ipairs(cmsgpack.unpack(ARGV[4])) do
  local reply = redis.call(query[1], KEYS[i + 1], unpack(query, 2))
  replies[i] = reply
  room = room - #reply
  if room <= 0 then break end
end
answer[3] = replies
return answer
"""

# Everything the scripts lean on, at once, with no effect: a Redis without it, and a user who may not run a command on
# our keys, are found out at the start. Rights are looked at before arguments, so wrong ones do. What else is refused
# (by a full Redis, a replica, a cluster's node that has other slots) is for those who ask in earnest.
_PROBE = """\
cmsgpack.unpack(cmsgpack.pack(1))
local key = ARGV[1]
local commands = {{'HMGET', key, 'x'}, {'HGETALL', key}, {'HKEYS', key}, {'ZRANGE', key, 0, 0},
    {'HSET', key, 'x', 1, 'odd'}, {'HDEL', key, 'x'}, {'ZADD', key, 'odd', 'x'}, {'ZREM', key, 'x'},
    {'UNLINK', key}}
if ARGV[2] == 'whole' then
  table.insert(commands, {'ZMSCORE', key, 'x'})
  table.insert(commands, {'SCAN', 'odd'})
end
for _, command in ipairs(commands) do
  local reply = redis.pcall(unpack(command))
  if type(reply) == 'table' and reply.err and (string.find(reply.err, 'user executing') or
      string.find(reply.err, 'NOPERM') or string.find(reply.err, 'ACL failure')) then
    return redis.error_reply('NOPERM ' .. command[1] .. ' is not allowed on ' .. key)
  end
end
return 1
"""


def probe(app: str, *, whole: bool) -> Command:
    """Fails where a user may not do what the other scripts do to the keys of ``app``, or Lua lacks what they use.

    With ``whole`` also where the user may not go through all of the state, as a move of it does.
    """
    return ("EVAL", _PROBE, 0, Layout(app, 0).subject("probe"), "whole" if whole else "")


def take(layout: Layout, seen: tuple[bytes, bytes], owner: str, seq: int) -> Command:
    """Makes ``owner`` the owner with ``seq`` if meta still holds the owner and seq last seen (empty: nothing).

    Answers the fields of `MetaAnswer`.
    """
    return ("EVAL", _TAKE, 1, layout.meta, *seen, owner, seq, FORMAT)


def look(layout: Layout) -> Command:
    """Asks for the fields of `MetaAnswer` and changes nothing."""
    return ("HMGET", layout.meta, *MetaAnswer._fields)


def write(layout: Layout, guard: tuple[str, int], edits: Edits, body: bytes) -> Command:
    """Makes ``edits``, then writes meta with the next seq, if meta holds ``guard``: owner and seq.

    Answers ``[owner, seq]``: the next seq if it was written, now or by an earlier try of the same request.
    """
    owner, seq = guard
    buckets, commands = encode_buckets(edits.buckets), msgspec.msgpack.encode(edits.commands)
    keys = (layout.meta, *edits.keys)
    return ("EVAL", _WRITE, len(keys), *keys, owner, seq, seq + 1, buckets, body, commands)


def read(
    layout: Layout, guard: tuple[str, int], keys: Sequence[str], queries: Sequence[Sequence[str]], room: int
) -> Command:
    """Asks ``queries[i]`` of ``keys[i]`` if meta holds ``guard``, and stops once the replies hold ``room`` values.

    Answers ``[owner, seq, replies]``, at least one reply, or ``[owner, seq]`` where the guard does not hold.
    """
    return ("EVAL", _READ, 1 + len(keys), layout.meta, *keys, *guard, room, msgspec.msgpack.encode(queries))
