"""Dispute Triage: reads reports of disputes and tips, and ranks reports so that the right ones are read first."""
