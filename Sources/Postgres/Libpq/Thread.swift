internal import Glibc

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
