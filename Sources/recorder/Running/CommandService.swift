import Logging
import ServiceLifecycle
import UnixSignals

/// Work that runs until SIGINT or SIGTERM cancels it, which is a successful end.
struct CommandService: Service {
    private let work: @Sendable () async throws -> Void

    /// - Parameter work: Is cancelled on a signal.
    init(_ work: @escaping @Sendable () async throws -> Void) { self.work = work }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await work()
            } catch is CancellationError {
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

    /// Runs services until one of them is done or fails, or a signal comes; then the others are shut down. A second
    /// signal ends the process at once.
    ///
    /// - Parameter patience: How long the shutdown may take before the services are cancelled; `nil` for no limit.
    /// - Throws: What the first to fail throws.
    static func run(_ services: [any Service], logger: Logger, patience: Duration? = nil) async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(
            services: services.map { service in
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: service,
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup
                )
            },
            logger: quiet
        )
        configuration.maximumGracefulShutdownDuration = patience
        let group = ServiceGroup(configuration: configuration)
        try await RunningCommand.hearingSignals { _ in
            await group.triggerGracefulShutdown()
        } while: {
            try await group.run()
        }
    }
}
