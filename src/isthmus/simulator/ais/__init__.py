"""The sea as receivers see it: tracks of ships and craft, what they transmit, what is heard."""
