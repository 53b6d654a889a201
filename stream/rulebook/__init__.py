"""The topic `programs`: what is in force, for all workers alike. They follow it; publishing to it changes it."""
