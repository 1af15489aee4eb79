"""One frozen dataclass per template, made from models; its fields are exactly what the template reads."""
