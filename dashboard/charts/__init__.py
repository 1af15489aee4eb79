"""Charts drawn on the server as SVG geometry: no script, no canvas, one look in every theme."""
