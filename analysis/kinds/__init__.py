"""Kinds of analysis, one file each: from a results folder to tidy tables, a figure of them, and what they say."""
