internal import Dispatch
internal import Glibc
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

/// A detached POSIX thread that runs one closure.
package struct Thread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let body: Body

    /// - Parameter run: The thread's work.
    init(run: @escaping @Sendable () -> Void) {
        body = Body(run: run)
    }

    /// Pauses the thread for about this long, less than a second. Only for a dedicated thread, such as a connection's.
    package static func pause(_ duration: Duration) {
        var time = timespec(tv_sec: 0, tv_nsec: Int(duration / .nanoseconds(1)))
        unsafe nanosleep(&time, nil)
    }

    /// Starts the thread; nobody joins it.
    ///
    /// - Throws: ``PostgresError`` with `.connectionFailed` if the process cannot have another thread.
    func start() throws(PostgresError) {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(body).toOpaque()
        let status = unsafe pthread_create(
            &thread,
            nil,
            { context in
                guard let context = unsafe context else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                body.run()
                return nil
            },
            context
        )
        guard status == 0 else {
            unsafe Unmanaged<Body>.fromOpaque(context).release()
            throw PostgresError(.connectionFailed, "no thread is left for a connection: errno \(status)")
        }
        pthread_detach(thread)
    }
}
