"""The transformer: any Hugging Face encoder with a category head and a risk head, fine-tuned on reports."""
