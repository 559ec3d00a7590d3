"""Five short lessons, each a few screens, live on the chosen model: one file a lesson, and the frame around them."""
