"""The dialect of this SDK. Values are read without trust: what has the wrong type is not recorded."""
