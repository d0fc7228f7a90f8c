"""Metrics as pure batched functions of tensors; ``catalogue`` declares what is reported and its direction."""
