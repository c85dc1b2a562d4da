"""Text that leaves the process: masked, cut, repaired, and made inert. Pure functions; import the modules directly."""
