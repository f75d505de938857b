"""The process wing: everything that starts, signals or reaps a child."""
