"""Who and what are activities about? One row a record, with the summaries embedded in activities."""
