internal import Dispatch
internal import Synchronization

/// A serial executor with its own thread, so that a blocking libpq call never holds a thread of the cooperative pool.
final class ConnectionThread: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var stops = false
    }

    private let state = Mutex(State())
    private let available = DispatchSemaphore(value: 0)

    /// Starts the thread; it ends after ``stop()``.
    ///
    /// - Throws: ``PostgresError`` with `.connectionFailed` if the process cannot have another thread.
    init() throws(PostgresError) {
        try Thread { [self] in work() }.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        available.signal()
    }

    /// Ends the thread once the queued jobs are done.
    func stop() {
        state.withLock { $0.stops = true }
        available.signal()
    }

    private func work() {
        while true {
            available.wait()
            let (jobs, stops) = state.withLock { state in
                defer { state.jobs.removeAll(keepingCapacity: true) }
                return (state.jobs, state.stops)
            }
            for job in jobs { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
            if stops && jobs.isEmpty { return }
        }
    }
}
