"""The period report for the duty manager: what came in, what was found and settled, what is still open."""
