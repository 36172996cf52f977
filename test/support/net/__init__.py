"""Networks and proxies between Weir and a server."""
from .far_network import FarNetwork
from .forward_proxy import ForwardProxy, SocksProxy, TlsFront
from .http2_front import Http2Front

__all__ = ["FarNetwork", "ForwardProxy", "Http2Front", "SocksProxy", "TlsFront"]
