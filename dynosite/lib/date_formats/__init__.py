"""Formats of days and times where Django writes them itself: as on the pages."""
