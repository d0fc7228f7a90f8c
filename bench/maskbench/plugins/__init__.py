"""The contracts between the engine and its plug-ins, and how plug-ins are found."""
