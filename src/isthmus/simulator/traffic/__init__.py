"""What moves: ships' calls, shipments, boxes and their stay in port."""
