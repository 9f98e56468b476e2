"""A plugin that computes the greatest number received so far."""

greatest = None
for number, payload in events:  # noqa: F821
    greatest = payload if greatest is None else max(greatest, payload)
    replies.send(("greatest", number, greatest))  # noqa: F821
