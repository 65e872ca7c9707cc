"""What was measured before now, in bounded memory: the sampler's thread writes, others read."""
