"""What both plain loops do with a record: decode it, look its id up, count it in dicts."""

import msgspec

from benchmarks.peers.job import (
    CREATOR,
    LATENESS_MS,
    METRICS,
    NAMING,
    PANE_MS,
    VIDEO,
    Award,
    Seen,
    Subject,
    counts_for_creator,
    counts_for_video,
)


class Event(msgspec.Struct, gc=False):
    """An event, as far as the job looks at it."""

    event_id: str
    creator_id: str
    video_id: str
    viewer_id: str
    occurred_at: int
    watch_ms: int = 0
    paid: bool = False


GC_THRESHOLDS = 50_000, 50, 1_000
"""The collector finds nothing here: looked for seldom, that costs a fifth less CPU."""

_decoder = msgspec.json.Decoder(Event)
encode = msgspec.json.encode


class Counting:
    """The state of all partitions that a process reads: nothing of it outlives the process."""

    def __init__(self, prefix: str) -> None:
        self._metrics = {prefix + topic: metric for metric, topic in enumerate(METRICS)}
        self._seen: dict[tuple[str, int], Seen] = {}
        self._creators: dict[str, Subject] = {}
        self._videos: dict[tuple[str, str], Subject] = {}

    def count(self, topic: str, partition: int, records: list[tuple[int, bytes]]) -> list[Award]:
        """Count records of a topic-partition (timestamp and value of each); returns what is to be awarded."""
        metric, awards = self._metrics[topic], list[Award]()
        seen = self._seen.setdefault((topic, partition), Seen())
        creators, videos = self._creators, self._videos
        for timestamp, value in records:
            try:
                event = _decoder.decode(value)
            except msgspec.DecodeError:
                continue
            if timestamp - event.occurred_at > LATENESS_MS or not seen.is_new(event.event_id, timestamp):
                continue
            pane, creator_id, video_id = event.occurred_at // PANE_MS, event.creator_id, event.video_id
            if counts_for_creator(metric, event.watch_ms, event.paid, event.viewer_id == creator_id):
                creator = creators.get(creator_id)
                if creator is None:
                    creator = creators[creator_id] = Subject(NAMING[CREATOR])
                for tier, period in creator.count(metric, pane):
                    awards.append(Award(tier.program, tier.name, creator_id, None, period))
            if counts_for_video(metric, event.watch_ms):
                video = videos.get((creator_id, video_id))
                if video is None:
                    video = videos[creator_id, video_id] = Subject(NAMING[VIDEO])
                for tier, period in video.count(metric, pane):
                    awards.append(Award(tier.program, tier.name, creator_id, video_id, period))
        return awards
