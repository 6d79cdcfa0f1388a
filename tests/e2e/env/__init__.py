"""The environment of the end-to-end tests: a real Kafka, real workers, real receivers, and
verifiers that are not ours.
"""
