"""What auditors and risk staff ask of the whole: explanations of numbers, differences between sources."""
