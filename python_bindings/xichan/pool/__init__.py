"""Implementation of ``xichan.InterpreterPoolExecutor``.

    executor         the public class: checks arguments, prepares calls, submits them
    futures, batch   the future of one task; the tasks of one map()
    scheduler        tasks from submit() until a worker takes them or they are cancelled
    workers          threads and interpreters: starts, replaces and stops them
    launch           sets up an interpreter, runs the loop of a worker in it, closes it
    standby          interpreters that are kept ready for workers
    callbacks        calls done callbacks and notifies waiters, in threads of their own
    results          receives what workers send and completes futures
    fallback         runs tasks in the main interpreter if a worker cannot load a module
    supervisor       xichan.Workers: starts, restarts and stops workers with a target
    member           xichan.worker(): the inside of these
    output           brings what workers print to this interpreter
    options          with_options(): deadlines, results as views
    context          context=: context variables of the caller in tasks
    select_futures   futures as cases of select() and aselect()
    arguments        checks arguments, and pickles those of calls
    worker           the loop inside a worker interpreter; the format of tasks and results
    scripts          run_string() and run_path() inside a worker interpreter
    errors           the exceptions of pools
    coroutines       runs coroutine functions, in a worker or in this interpreter
    threads          names of threads
    atomic           counters and waiting without locks
    interrupt_safe   how calls stay consistent when they are interrupted; exit and fork
    byvalue          functions that travel by value

Nothing is imported here, because every worker interpreter imports this package.
"""
