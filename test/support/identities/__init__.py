"""Identities of managed Prometheus services: who grants them, and how the service verifies them."""
from .providers import (EntraServer, GoogleStsServer, MetadataServer, OAuth2Server, PodIdentityAgent, StsServer, guarded,
                        make_jwt)
from .sigv4 import signature_problem

__all__ = ["EntraServer", "GoogleStsServer", "MetadataServer", "OAuth2Server", "PodIdentityAgent", "StsServer", "guarded",
           "make_jwt", "signature_problem"]
