"""``python -m xichan.bench``: xichan beside what else carries values between interpreters, threads and processes.

    cli          the command line
    scenarios    what is measured; workloads/ how
    contenders/  the contenders, one file each
    runner       the rounds: contenders take turns, each in a process of its own (host), which has a crew of workers
    lower_bound  what the machine takes for the parts that no channel can do without
    results      the figures of a run, and its file
    report_*     the forms in which they are shown; compare: two runs beside each other

Only the command line imports what the extra ``xichan[bench]`` brings; workers import nothing but this package.
"""
