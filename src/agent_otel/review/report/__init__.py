"""The figures of many runs, and the page that shows them: what a dashboard tells, in one file."""
