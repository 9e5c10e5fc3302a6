"""Studies of the engines and of the words on collaboratives whose truth is known: `python -m calibration --help`."""
