"""Local servers with the vendors' documented protocols. They refuse any request that departs from them."""
