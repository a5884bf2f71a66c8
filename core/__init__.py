"""The vocabulary all rooms share; imports none of them."""
