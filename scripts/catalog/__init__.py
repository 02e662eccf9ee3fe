"""Parts of `build_catalog.py`: what is read, how names and prices are made equal, which figures set a tier."""
