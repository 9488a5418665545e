"""Many paid orders by whole statements: what an import and a request of many orders have in common."""
