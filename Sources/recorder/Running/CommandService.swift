import Logging
import ServiceLifecycle
import UnixSignals

/// Work that runs until it is done or SIGINT or SIGTERM comes, which cancels it.
struct CommandService: Service {
    private let isEndless: Bool
    private let work: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - isEndless: Whether a signal is how the work ends; otherwise it throws `CancellationError` then.
    ///   - work: Is cancelled on a signal.
    init(isEndless: Bool = false, _ work: @escaping @Sendable () async throws -> Void) {
        self.isEndless = isEndless
        self.work = work
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await work()
            } catch is CancellationError where isEndless {
                // Asked to stop.
            }
        }
    }

    /// Runs the work.
    ///
    /// - Throws: What the work throws.
    func runUntilSignal(logger: Logger) async throws {
        try await Self.run([self], logger: logger)
    }

    /// Runs work until it is done, or until SIGINT or SIGTERM comes, which cancels it.
    ///
    /// - Returns: The signal that ended the work; `nil` if it was done all the same.
    /// - Throws: What the work throws, unless it was cancelled by a signal.
    static func cancellingOnSignal(_ work: @escaping @Sendable () async throws -> Void) async throws -> UnixSignal? {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: Ending.self) { group in
            group.addTask {
                try await work()
                return .done
            }
            group.addTask {
                for await signal in signals { return .signal(signal) }
                return .deaf
            }
            var received: UnixSignal?
            while let ending = await group.nextResult() {
                switch ending {
                case .success(.done):
                    group.cancelAll()
                    return nil
                case .success(.signal(let signal)): received = signal
                case .success(.deaf): continue
                // Whatever a cancelled piece of work says, it ended because of the signal.
                case .failure(let error): if received == nil { throw error }
                }
                group.cancelAll()
            }
            return received
        }
    }

    /// How one of the two tasks of ``cancellingOnSignal(_:)`` ended.
    private enum Ending: Sendable {
        case done
        case signal(UnixSignal)
        /// Nobody listens for signals any more.
        case deaf
    }

    /// Runs services until one of them is done or fails, or a signal comes; then the others are shut down.
    ///
    /// - Throws: What the first to fail throws.
    static func run(_ services: [any Service], logger: Logger) async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { service in
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: service,
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    )
                },
                gracefulShutdownSignals: [.sigint, .sigterm],
                logger: quiet
            )
        )
        try await group.run()
    }
}
