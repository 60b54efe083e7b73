"""The contract: codec, JSON Schemas, AsyncAPI document, and that none of them breaks a promise."""
