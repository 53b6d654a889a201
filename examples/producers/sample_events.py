"""Print engagement events that occur now, one JSON object a line, for the producers beside.

python examples/producers/sample_events.py 20000 | python examples/producers/with_aiokafka.py localhost:9092
"""

import json
import os
import random
import sys
import time

TYPES = {"view": 80, "like": 12, "share": 3, "comment": 5}
CREATORS = 200


def main(count: int) -> None:
    run = f"{time.time_ns():x}"
    popularity = [1 / rank for rank in range(1, CREATORS + 1)]
    for number in range(count):
        kind = random.choices(list(TYPES), list(TYPES.values()))[0]
        creator = random.choices(range(CREATORS), popularity)[0]
        event = {
            "type": kind,
            "event_id": f"{run}-{number}",  # a producer's retry must say the same id again
            "creator_id": f"creator-{creator}",
            "video_id": f"video-{creator}-{random.randrange(5)}",
            "viewer_id": f"viewer-{random.randrange(50_000)}",
            "region": ("US", "GB", "DE")[creator % 3],  # the creator's, not the viewer's
            "occurred_at": time.time_ns() // 1_000_000,
        }
        if kind == "view":
            event |= {"watch_ms": random.randrange(60_000), "source": random.choice(["for_you", "following"])}
        print(json.dumps(event))


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal():
        sys.exit("usage: sample_events.py COUNT")
    try:
        main(int(sys.argv[1]))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
