"""Who has used what: accounts of processes, users, jobs and runs, whose sums are the devices'."""
