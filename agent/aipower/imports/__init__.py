"""How modules are imported: small, without what is hardly used, unbroken by Ctrl-C."""
