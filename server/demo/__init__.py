"""Real SDK clients at work, so that a first look at the console shows life."""
