"""The API that shops and tills speak: `/api/v1/`."""
