"""Moving a group's state: to another number of partitions, to other topics, another cluster, another Redis or group.

```
side.py       one side of a move, connected: its Kafka, its Redis, its group
survey.py     what there is to move, and that nothing stands against it: every refusal is here
regroup.py    pure: which partitions' state goes where, and what becomes of positions, arrivals and ids
move.py       the move itself, partition by partition
progress.py   a bar for whoever waits
```
Workers are stopped and producers held. The old state is read and never written, so whoever gives up goes on with it.
"""

from stream.migrate.move import Move, Moved, migrate
from stream.migrate.progress import Progress
from stream.migrate.side import Side
from stream.migrate.survey import Terms

__all__ = ["Move", "Moved", "Progress", "Side", "Terms", "migrate"]
