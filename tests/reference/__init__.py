"""A second, naive reading of the routing rules: the oracle that the product's router is compared with.

It is written from the rules alone, for clarity and not for speed: everything is recomputed by scanning plain
lists and dicts. Nothing here may import `streams`.
"""
