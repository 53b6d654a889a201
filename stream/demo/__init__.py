"""``bonus demo``: a broker, a Redis, sample producers, a worker and the bonuses, in one process tree."""
