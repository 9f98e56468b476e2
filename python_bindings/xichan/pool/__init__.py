"""Implementation of ``xichan.InterpreterPoolExecutor`` and ``xichan.Workers``.

    executor           the pool: checks arguments
    calls              describes its calls and submits them
    arguments          checks arguments, and pickles those of calls
    options            with_options(): deadlines, results as views
    context            context=: context variables of the caller in tasks
    scripts            run_string() and run_path()
    futures, batch     the future of one task; the tasks of one map()
    awaited_future     what waits for a future
    select_futures     futures as cases of select() and aselect()
    scheduler          tasks from submit() until a worker takes them or they are cancelled
    task_queue         the queue of a pool's tasks
    cancellation       cancels and interrupts tasks
    stopping           the end of a pool
    workers            threads and interpreters: starts and replaces them
    launch             sets up an interpreter, runs a worker in it, closes it
    standby            interpreters that are kept ready for workers
    collector          receives what workers send
    request_thread     the thread of the collector: calls functions for other threads
    results            ends tasks by their results
    callbacks          calls done callbacks and notifies waiters, in threads of their own
    fallback, pinned   run tasks elsewhere if a worker cannot load a module: in this interpreter, in the pinned one
    supervised         xichan.Workers: checks arguments
    supervisor         its thread, which receives what workers report
    attempts           the threads of its workers, which run interpreters and restart them
    output             brings what workers print to this interpreter
    errors             the exceptions of pools
    threads            names of threads
    atomic             counters and waiting without locks
    interrupt_safe     how calls stay consistent when they are interrupted; exit and fork
    byvalue            functions that travel by value

In a worker:

    worker_entry       what launch calls there
    worker             the loop; the format of tasks and results
    worker_functions   the functions of tasks
    worker_results     results, and what the worker is doing
    refusal_reports    modules that it could not load
    endpoints          closes the endpoints of a task that fails
    member             xichan.worker()
    task_options       what tasks with options call
    coroutines         runs coroutine functions, also in this interpreter

Nothing is imported here, because every worker imports this package.
"""
