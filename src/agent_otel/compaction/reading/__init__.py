"""What dialects read with: values of unknown make, arguments, results, messages, and the facts of calls."""
