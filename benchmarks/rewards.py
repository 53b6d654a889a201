"""The programmes that benchmarks run: three tiers each, over rolling 24 hours in steps of a minute.

They come in threes: creators by qualified views, videos by views and likes, creators by engagement once a day. Each
further three has a filter of its own, so that none shares a counter with another and each costs its full price.
"""

from pathlib import Path

_CREATOR_VIEWS = """\
program: creator-views-{n}
version: 1
regions: all
subject: creator
window: {{rolling: 24h, step: 1m}}
count:
  views: {{min_watch: {watch}s, paid: false}}
tiers:
  - {{name: bronze, when: {{views: 100}}, reward: {{amount: "5.00", currency: USD}}}}
  - {{name: silver, when: {{views: 1000}}, reward: {{amount: "50.00", currency: USD}}}}
  - {{name: gold, when: {{views: 5000}}, reward: {{amount: "250.00", currency: USD}}}}
award: once
"""
_VIDEO_VIEWS = """\
program: video-views-{n}
version: 1
regions: all
subject: video
window: {{rolling: 24h, step: 1m}}
count:
  views: {{min_watch: {watch}s}}
tiers:
  - {{name: rising, when: {{views: 50}}, reward: {{amount: "1.00", currency: USD}}}}
  - {{name: hot, when: {{views: 250, likes: 25}}, reward: {{amount: "10.00", currency: USD}}}}
  - name: viral
    when: {{all: [{{views: 2500}}, {{any: [{{likes: 250}}, {{shares: 250}}]}}]}}
    reward: {{amount: "99.00", currency: USD}}
award: once
"""
_CREATOR_DAY = """\
program: creator-day-{n}
version: 1
regions: all
subject: creator
window: {{rolling: 24h, step: 1m}}
count:
  likes: {{sources: [for_you, following, profile, search], paid: false}}
  comments: {{exclude_self: true}}
  shares: {{exclude_self: true}}
tiers:
  - {{name: liked, when: {{likes: {least}}}, reward: {{amount: "2.00", currency: USD}}}}
  - {{name: discussed, when: {{comments: {least}}}, reward: {{amount: "2.00", currency: USD}}}}
  - {{name: shared, when: {{shares: {least}}}, reward: {{amount: "2.00", currency: USD}}}}
award: {{once_per: day, timezone: America/New_York}}
"""
_KINDS = (_CREATOR_VIEWS, _VIDEO_VIEWS, _CREATOR_DAY)


def write(folder: Path, programs: int) -> None:
    """Write ``programs`` programmes into ``folder``, a file each."""
    for number in range(programs):
        batch, kind = divmod(number, len(_KINDS))
        text = _KINDS[kind].format(n=batch, watch=5 - 2 * kind + batch, least=50 + batch)
        (folder / f"{number:03}.yaml").write_text(text)
