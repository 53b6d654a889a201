"""The composition root: Faust app, agents, counter table, and the life of each partition."""
