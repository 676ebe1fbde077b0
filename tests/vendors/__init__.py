"""Local servers that speak the vendors' documented protocols, and refuse whatever departs from them."""
