"""The contract: what producers publish and consumers read. It imports nothing of the processor."""
