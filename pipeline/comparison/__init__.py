"""How models compare as labels grow: the same labels, splits and seeds for all of them (`triage compare`)."""
