"""Networks: recognizers, found by lying here, and what restores, finds masks or embeds."""
