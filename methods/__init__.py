"""Desensitization methods and model adjustments: one file a family, found by lying here."""
