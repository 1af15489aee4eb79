"""`make bench`: Switchroom against the bare SDK, side by side in one run. Not part of the distribution."""
