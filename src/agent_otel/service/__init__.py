"""Receiving, folding and serving, above the pure packages."""
