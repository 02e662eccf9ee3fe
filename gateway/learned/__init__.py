"""PURE, numpy alone: how likely the cheaper tier's answer is as good, learned from judged prompts.

Imported only where `classify.by` asks for it, since numpy takes 0.1 s and 20 MB to import.
"""
