"""Faces: thin views of the engine for other libraries. They translate and hold no rule."""
