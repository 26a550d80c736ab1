"""Our vectors as an index of FiftyOne's Brain; importing this imports no FiftyOne."""
