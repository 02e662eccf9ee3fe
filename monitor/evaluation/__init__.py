"""Blind evaluation: pairs of answers, who judges them, and what may follow from many judgements."""
