"""A plugin: the average so far of the numbers that it is sent.

`events` and `answers` are a Receiver and a Sender of xichan, which the host has put here.
"""

total = count = 0
for number, payload in events:  # noqa: F821
    total += payload
    count += 1
    answers.send(("average", number, total / count))  # noqa: F821
