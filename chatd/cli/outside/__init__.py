"""The checks of `chatd doctor`: a file for each subject. A check returns its text for success, or raises an outcome."""
