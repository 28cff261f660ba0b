"""Dataset: reports and outcomes become labelled examples with history and a split, and a card says what they are."""
