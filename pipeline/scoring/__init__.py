"""From probabilities to a reading order: priority, rank, audit draw and reasons."""
