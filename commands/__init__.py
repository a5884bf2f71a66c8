"""The commands, one file a subject; each imports its own rooms, so that help is quick."""
