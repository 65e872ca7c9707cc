"""NVIDIA GPUs through NVML. It imports nothing: most of it is not needed on a machine without the driver."""
