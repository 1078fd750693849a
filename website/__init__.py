"""The site: what its pages show is run, and what is told of the library is taken from it; `make site` builds it."""
