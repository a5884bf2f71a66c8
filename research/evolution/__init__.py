"""What a search by evolution is made of; `research.evolve` puts it together."""
