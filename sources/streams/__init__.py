"""Frames of the venues' public sockets, read one at a time: one file per venue.

Nothing here opens a socket, reads a clock or keeps state: a frame goes in, and what it says comes
out (`sources.streams.heard`).
"""
