"""Networks and proxies between Weir and a server."""
from .far_network import FarNetwork
from .forward_proxy import ForwardProxy, SocksProxy, TlsFront

__all__ = ["FarNetwork", "ForwardProxy", "SocksProxy", "TlsFront"]
