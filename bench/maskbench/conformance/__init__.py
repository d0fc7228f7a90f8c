"""The conformance suite: what a plug-in must keep, checked on synthetic pictures in seconds."""
