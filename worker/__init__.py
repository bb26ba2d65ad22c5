"""The erasure worker: hears requests, decides by policy, erases, verifies and proves it."""
