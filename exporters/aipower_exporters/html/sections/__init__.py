"""The parts of the page, each a pure function from the record to HTML; None where there is nothing to tell."""
