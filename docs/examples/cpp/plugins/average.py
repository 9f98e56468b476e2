"""A plugin that computes the average of the numbers received so far.

The host sets the globals `events`, a xichan Receiver, and `replies`, a xichan Sender.
"""

total = count = 0
for number, payload in events:  # noqa: F821
    total += payload
    count += 1
    replies.send(("average", number, total / count))  # noqa: F821
