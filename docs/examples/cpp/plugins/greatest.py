"""A plugin: the greatest number so far."""

greatest = None
for number, payload in events:  # noqa: F821
    greatest = payload if greatest is None else max(greatest, payload)
    answers.send(("greatest", number, greatest))  # noqa: F821
