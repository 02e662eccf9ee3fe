"""Where decision records go besides the journal: one file each, all of them behind a courier."""
