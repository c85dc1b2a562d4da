"""The command line: one function per command.

Results go to standard output, what went wrong to standard error. Exit code 0 is success, 1 failure, 2 misuse.
"""
