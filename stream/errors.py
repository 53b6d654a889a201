"""Every error that callers of this project may see.

```
BonusError                 a sentence for the person who must act; carries the exit code
 ├── InputError            1  programmes, files or topics are wrong
 └── Unreachable           3  Kafka or Redis could not be reached in the stated time
```
Vendor errors (aiokafka's, redis's, pydantic's, yaml's) are translated where they arise and never leave their room.
"""


class BonusError(Exception):
    """An error with a sentence to print and an exit code to end with."""

    exit_code = 1


class InputError(BonusError):
    """What the operator gave us is wrong: the sentence says what, where, and what was expected."""

    exit_code = 1


class Unreachable(BonusError):
    """An outside service could not be reached within the time that was allowed."""

    exit_code = 3
