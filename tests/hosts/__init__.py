"""Machines on one Linux host: boots and checks what `quorate apply` created. docs/hosts.md explains how to use it."""
