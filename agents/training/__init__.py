"""Training: the leaner PPO, its policies and its rollout buffer, settings, runs and their folders."""
