"""The demo: an embedded broker, simulated shops, a real worker, and a person who watches what it decides."""
