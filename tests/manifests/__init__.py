"""Dockerfile, compose file and Kubernetes manifests, read by the programs that read such files; nothing of it is run.

`make manifests` makes the environment of these programs (requirements.txt), which has nothing to do with fenliu's own.
"""
