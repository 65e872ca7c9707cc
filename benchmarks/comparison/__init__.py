"""What `aipower compare` says of simulated pairs of programs whose saving is known."""
