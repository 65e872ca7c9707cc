"""What the long campaigns against a real agent share: a machine, jobs, runs, a scraper, and the laws of the pages."""
