"""What people look at: the pages."""
