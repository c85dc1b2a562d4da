"""Real programs that tests run against: found, started on free ports in folders of their own, stopped by their ids."""
