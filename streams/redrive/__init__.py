"""Dead letters that go back to their input topics: what lies there, what may be sent again, and sending it once."""
