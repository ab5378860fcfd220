"""The typed records that may cross a border: what they are, their schemas, their words."""
