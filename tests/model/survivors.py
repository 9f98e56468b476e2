"""Mutants that no model is expected to notice, and why that is right."""

# (file, part of the line, what it becomes): reason
SURVIVORS = {}


def reason_for(mutant):
    """Why this mutant may survive, or None."""
    for (file, part, after), reason in SURVIVORS.items():
        if file == mutant.file and part in mutant.code and after == mutant.after:
            return reason
    return None
