"""``python -m xichan.bench``: xichan against other ways to pass values between interpreters, threads and processes.

    cli          the command line
    scenarios    what is measured
    workloads/   how it is measured, one file per workload
    contenders/  the contenders, one file each
    runner       interleaved rounds; each contender runs in its own process (host), which starts workers
    roles        the functions that workers run; state_roles those that share state
    lower_bound  the time of the parts that every channel needs
    targets      the numbers to reach
    results      the figures of a run, and its file
    report_*     output formats
    compare      comparison of two runs

Only the command line imports packages of the extra ``xichan[bench]``; workers import nothing but this package.
"""
