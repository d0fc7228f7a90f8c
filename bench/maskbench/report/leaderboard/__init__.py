"""The leaderboard: static pages of methods that were measured alike, from bundles that verify."""
