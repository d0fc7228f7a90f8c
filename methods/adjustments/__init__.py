"""Model adjustments: how a recognizer is made to deal with masks, one file each."""
