"""Learn: five short lessons, live on the chosen model, with predictions to make."""

from bigan.ui import page
from bigan.ui.lessons import frame

page.show(
    page.part(frame.show),
    title="Learn",
    sentence="Five short lessons on the model you have chosen. Say what you expect, then see what it does; every "
    "number is computed from this model.",
    lit=page.EVERYTHING,
)
