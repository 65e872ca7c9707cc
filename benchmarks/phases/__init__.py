"""The energy of phases against the truth of a simulated machine.

`python -m benchmarks.phases` drives the product's meter and story in simulated time: programs that tell of phases of
known power, sensors as in benchmarks.accuracy. It prints how far the phases' energies are off, and how often their
95 % intervals hold the truth.
"""
