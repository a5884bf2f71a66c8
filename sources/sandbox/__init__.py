"""The offline exchange: Binance's protocol over markets made from a seed."""
