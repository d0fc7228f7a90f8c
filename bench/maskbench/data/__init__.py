"""Images with labels: where they come from, how they are decoded, and how they are split."""
