"""Small breaks of our own protocol, applied inside a worker process: the harness must find each of them."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.mutants import of_checkpoint, of_flow, of_forgetting, of_ledger, of_take


@dataclass(frozen=True, slots=True)
class Mutant:
    """``apply`` breaks the protocol in this process; ``says`` how."""

    says: str
    apply: Callable[[], None]


MUTANTS: dict[str, Mutant] = {
    "no-transaction": Mutant("bonuses are sent outside of a transaction", of_ledger.no_transaction),
    "own-transactional-id": Mutant(
        "each process has a transactional id of its own", of_ledger.own_transactional_id
    ),
    "failed-send": Mutant("a transaction is committed although a send failed", of_ledger.ignore_failed_sends),
    "error-is-success": Mutant("a transaction that failed counts as done", of_ledger.swallow_errors),
    "hasty-checkpoint": Mutant("a checkpoint doesn't wait for its bonuses", of_checkpoint.before_bonuses),
    "hasty-relay": Mutant("a checkpoint doesn't wait for `rejected` and `late`", of_checkpoint.before_relays),
    "unread-checkpoint": Mutant(
        "a checkpoint counts on bonuses that no reader can see", of_checkpoint.before_readers
    ),
    "newest-place": Mutant("a checkpoint's place is the ledger's newest", of_checkpoint.newest_place),
    "no-guard": Mutant("a checkpoint compares neither owner nor seq", of_checkpoint.no_guard),
    "no-scan": Mutant("a take doesn't scan `bonuses`", of_take.no_scan),
    "committed-end": Mutant("the scan ends at the committed end", of_take.committed_end),
    "forgetful-latch": Mutant("what the scan found is forgotten after the replay", of_take.forgetful_latch),
    "orphans-left": Mutant("a take leaves what Kafka lost sight of", of_take.leave_orphans),
    "fastest-topic": Mutant("panes are pruned by the fastest topic", of_forgetting.by_fastest_topic),
    "kept-memory": Mutant("memory of a lost partition is used again", of_take.kept_memory),
    "no-seek-to-0": Mutant("offset 0 isn't sought", of_flow.no_seek_to_0),
    "late-seek": Mutant("fetching goes on before the seek", of_flow.late_seek),
    "old-takes": Mutant("chunks belong to the take that asked for them", of_flow.old_takes),
}
