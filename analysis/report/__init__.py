"""The report of a results folder: one HTML file that can be read alone."""
