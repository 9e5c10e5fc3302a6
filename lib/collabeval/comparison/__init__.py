"""Several models of the same data: which predicts better, and which words about sites would be others."""
