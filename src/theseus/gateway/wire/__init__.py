"""What goes over the wire: models of answers, with the names and the numbers that clients of the REST API read."""
