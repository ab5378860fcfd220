"""Picks, holds, inspections, findings and alerts: what people decide and what they found."""
