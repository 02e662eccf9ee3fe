"""The APIs that clients speak: parsing requests into the neutral form, writing answers from it."""
