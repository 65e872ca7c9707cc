"""A month of an agent's life at accelerated time, held against hardware whose counters are known to the microjoule."""
