"""Optional bridges to frameworks and tools, see docs/integrations.md.

None is imported by anything else, each imports its framework, and none is needed by the others.
"""
