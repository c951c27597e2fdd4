"""The site of the course: `make site` builds it (website/README.md)."""
