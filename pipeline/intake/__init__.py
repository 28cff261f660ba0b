"""Intake: source rows become redacted, normalized reports, each with its duplicate group and its matter.

The only room that reads `data/raw`, and the only one that ever holds a narrative.
"""
