"""Checking a bundle, a run folder that somebody else made: are its numbers those of its samples?"""
