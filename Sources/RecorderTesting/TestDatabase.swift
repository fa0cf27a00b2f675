package import Operations
package import Postgres

/// Runs a test on a database of its own, on the server that the test process shares. Other tests run at the same time.
///
/// - Parameters:
///   - template: What the database holds at first.
///   - body: Gets the configuration that reaches the database as its superuser; unqualified names mean the schema
///     `recorder`.
/// - Returns: What the body returns. The database is dropped after that.
package func withTestDatabase<R>(
    _ template: TestServer.Template = .recorder,
    _ body: (PostgresConfiguration) async throws -> R
) async throws -> R {
    let server = try await TestServer.shared.running()
    let name = try await TestServer.shared.makeDatabase(template)
    let configuration = PostgresConfiguration(
        url: server.url(database: name),
        schema: "recorder",
        applicationName: "recorder test"
    )
    do {
        let result = try await body(configuration)
        await TestServer.shared.dropDatabase(name)
        return result
    } catch {
        await TestServer.shared.dropDatabase(name)
        throw error
    }
}

/// Runs a test on a connection to a database of its own. See ``withTestDatabase(_:_:)``.
package func withTestConnection<R>(
    _ template: TestServer.Template = .recorder,
    _ body: (PostgresConnection) async throws -> R
) async throws -> R {
    try await withTestDatabase(template) { configuration in try await withConnection(configuration, body) }
}

/// Opens a connection for `body`, and closes it when `body` returns or throws.
package func withConnection<R>(
    _ configuration: PostgresConfiguration,
    _ body: (PostgresConnection) async throws -> R
) async throws -> R {
    try await PostgresConnection.with(configuration, logger: TestServer.logger, body)
}

/// Runs a test on a server of its own, to stop it, kill it and start it again.
///
/// Takes about a second longer than a database on the shared server.
///
/// - Parameter body: Gets the server; its database `recorder` is empty.
package func withTestServer<R>(_ body: (EmbeddedServer) async throws -> R) async throws -> R {
    try await EmbeddedServer.withServer(TestServer.configuration(), logger: TestServer.logger, body)
}

/// Runs a test on a server of its own that holds the recorder's schema and can be made to crash.
///
/// - Parameter body: Gets the database's configuration, and a function that crashes the server (`pg_ctl stop -m
///   immediate`) and starts it again.
package func withCrashingServer<R>(
    _ body: (PostgresConfiguration, _ crash: @escaping @Sendable () async throws -> Void) async throws -> R
) async throws -> R {
    try await withStoppedServer { configuration, stop, start in
        try await body(configuration) {
            await stop()
            try await start()
        }
    }
}

/// Runs a test on a server of its own that holds the recorder's schema and can be away for a while.
///
/// - Parameter body: Gets the database's configuration, a function that crashes the server, and one that starts it
///   again.
package func withStoppedServer<R>(
    _ body: (
        PostgresConfiguration,
        _ stop: @escaping @Sendable () async -> Void,
        _ start: @escaping @Sendable () async throws -> Void
    ) async throws -> R
) async throws -> R {
    try await withTestServer { server in
        let configuration = PostgresConfiguration(
            url: server.url(),
            schema: "recorder",
            applicationName: "recorder test"
        )
        try await TestServer.install(configuration)
        return try await body(configuration, { await server.stopImmediately() }, { try await server.restart() })
    }
}
