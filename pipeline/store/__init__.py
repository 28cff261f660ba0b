"""What the review unit works on, in a database: nights, open reports, matters, decisions, people and the event log."""
