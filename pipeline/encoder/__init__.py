"""The small Chinese encoder the project pre-trains itself and ships: vocabulary, pre-training, export."""
