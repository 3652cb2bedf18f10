"""Machines on one Linux box: what `quorate apply` made boots, and is looked at. docs/hosts.md tells how to use it."""
