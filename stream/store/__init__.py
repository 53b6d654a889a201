"""The Redis side of the counter table. Only this room knows Redis commands.

```
checkpoint.py   plain data: what changed since the last checkpoint
layout.py       which key holds what; a delta as one edit a key
scripts.py      the Lua scripts, each atomic and guarded by owner and seq
link.py         one command there and its answer back; redis-py's errors end here
cluster.py      the same for a Redis Cluster: who has a partition's slot
patience.py     a refused command again, with back-off, and a sentence for the operator
store.py        connecting, and taking a partition
lease.py        one take: ids, read, write
census.py       all entries of all partitions, for moving them elsewhere
```
"""
