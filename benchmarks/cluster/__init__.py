"""What a cluster costs its Prometheus, and what churn does to the page of a node."""
