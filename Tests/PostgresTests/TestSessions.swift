import Logging
import Postgres
import RecorderTesting
import Synchronization
import Testing

/// Runs a test in an empty database of its own, whose schema `public` holds `numbers (n bigint primary key)`.
func withDatabase<R>(_ body: (PostgresConfiguration) async throws -> R) async throws -> R {
    try await withTestDatabase(.empty) { given in
        var configuration = given
        configuration.schema = nil
        try await withSession(configuration) { session in
            try await session.run(unsafeSQL: "create table numbers (n bigint primary key)")
        }
        return try await body(configuration)
    }
}

/// Runs a test on a connection to an empty database of its own.
func withSession<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
    try await withDatabase { configuration in try await withSession(configuration, body) }
}

/// Opens a connection, and closes it when the body ends.
func withSession<R>(
    _ configuration: PostgresConfiguration,
    logger: Logger = TestServer.logger,
    _ body: (PostgresConnection) async throws -> R
) async throws -> R {
    try await PostgresConnection.with(configuration, logger: logger, body)
}

extension PostgresConnection {
    /// The numbers that are stored.
    func numbers() async throws -> [Int] { try await query(Column("select n from numbers order by n")) }

    /// Waits until another session waits for something: `PgSleep`, `ClientRead`, `transactionid` …
    func waitUntil(session pid: Int32, waitsFor event: String) async throws {
        try await eventually("session \(pid) waits for \(event)") {
            try await first(
                Column<Bool>(
                    "select exists (select from pg_stat_activity where pid = \(pid) and state = 'active' "
                        + "and wait_event = '\(event)')"
                )
            ) == true
        }
    }

    /// Ends another session.
    func terminate(_ pid: Int32) async throws {
        let ended = try await first(Column<Bool>("select pg_terminate_backend(\(pid), 10000)"))
        #expect(ended == true)
    }
}

/// The error that `body` throws, as one of this layer.
func postgresError(
    _ sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> some Any
) async throws -> PostgresError {
    do {
        _ = try await body()
    } catch let error as PostgresError {
        return error
    }
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    throw CancellationError()
}

/// A gate that tests wait at.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    /// Lets all through, now and later.
    func open() {
        let waiting = state.withLock { state in
            defer { state = (true, []) }
            return state.waiting
        }
        for waiter in waiting { waiter.resume() }
    }

    /// Waits until the gate is open.
    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// For what a test provokes.
let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
