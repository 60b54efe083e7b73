"""What is found out about a cluster, and the embedded broker."""
