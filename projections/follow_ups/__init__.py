"""What was promised? Obligations to follow up, and the activities that may have kept them."""
