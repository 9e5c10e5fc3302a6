"""Models of site performance: what they see of the data, and one PyMC function per family of measures."""
