"""The evaluator of the station atlas: rules on organs and landmarks to solids."""
