"""The seam to Faust's inside and to the consumer group: nothing else knows either."""
