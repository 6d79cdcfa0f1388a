"""What the end-to-end tests stand on: a real Kafka, real workers, real receivers, and verifiers
that are not ours.
"""
