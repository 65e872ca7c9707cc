"""Reports of jobs and users of a whole cluster, from the HTTP API of Prometheus and of those that speak it."""
