"""Classes of cases, one module per family."""
