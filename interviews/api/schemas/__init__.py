"""Requests and responses of the REST API, one file for each resource."""
