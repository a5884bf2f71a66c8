"""Whether the night is honest: nights without an edge, and with one, by the hundred.

`make integrity` runs the product's own hunt and null factory on markets of which is known what
there is to be found, and counts what they promote. INTEGRITY.md is what came out.
"""
