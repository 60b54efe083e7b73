"""The small counting job, once for each system: read, parse the JSON, count per shop, one output per event.

Environment of each: SERVERS, APP, IN, OUT, PARTITIONS, GUARANTEE, DATA_DIR.
"""
