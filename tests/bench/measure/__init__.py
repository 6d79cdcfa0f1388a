"""Figures of the programs as a user sees them: real workers at a real Kafka."""
