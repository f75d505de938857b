"""What is watched: gitignore as git has it, and hotrun's own lists."""
