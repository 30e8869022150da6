"""Model calls: the catalogue of models, the providers' wires, and the activity that makes a call."""
