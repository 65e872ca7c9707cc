"""What watching costs, measured: `./dev bench` runs all parts beside the rivals and writes one results file."""
