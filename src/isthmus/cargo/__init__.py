"""Manifests, consignments, containers and their events, declarations; one file per format."""
