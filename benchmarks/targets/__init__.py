"""What is measured: each target its own database server, its own processes, the same data."""
