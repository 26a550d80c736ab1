"""The values a suite is made of: populations and what is required of a model."""

from evalsets.suites.population import Population, Requirement

__all__ = ["Population", "Requirement"]
