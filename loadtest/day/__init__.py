"""The scripted day: the whole loop of learning from traffic, on the real processes, and a model that gets worse."""
