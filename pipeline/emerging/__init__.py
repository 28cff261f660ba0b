"""What is emerging: more reports of a category in an area than the calendar and the past explain."""
