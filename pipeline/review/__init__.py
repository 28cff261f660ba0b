"""The review unit's pages: what to read first, why, and what became of similar reports; every decision is kept."""
