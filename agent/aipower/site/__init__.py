"""The seam of the pages and of the JSON API: what they are told, and what they must answer.

A package offers pages with an entry point of the group `aipower.sites`, which names a `SiteFactory`. They are
presentation: they touch no hardware, and what is measured is the same without them.
"""
