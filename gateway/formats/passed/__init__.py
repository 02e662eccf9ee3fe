"""What has no neutral form (reranking, moderation, images, speech both ways): passed on as it is, read for its cost."""
