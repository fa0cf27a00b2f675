package import Logging
internal import Operations
internal import Postgres
internal import Schema

/// The server to measure on, and fresh databases on it.
package struct BenchmarkServer: Sendable {
    /// What a database holds at first.
    enum Content: String {
        /// Nothing.
        case empty
        /// The recorder's schema and read models.
        case recorder
    }

    /// The server's version and the settings that decide how fast and how safe it is, by name.
    package let settings: [String: String]
    private let url: @Sendable (_ database: String?) -> String

    /// Settings of a server that is started for benchmarks: none that makes it less safe; checkpoints far apart, so
    /// that they do not hit one round and spare the next.
    private static let ownSettings = [
        "shared_buffers": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "max_connections": "200",
    ]

    private static let shown = [
        "server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers",
        "max_wal_size",
    ]

    /// Runs work on the server that the options name, or on one that is started for it and removed afterwards.
    ///
    /// - Throws: ``BenchmarkError`` with `.undurable` if the server may lose what it acknowledged and the options do
    ///   not allow that; `OperationsError`; `PostgresError`; what `body` throws.
    package static func run<R>(
        _ options: BenchmarkOptions,
        directory: String,
        logger: Logger,
        _ body: (BenchmarkServer) async throws -> R
    ) async throws -> R {
        if let given = options.databaseURL {
            // libpq takes the last of two values for one keyword.
            let server = try await BenchmarkServer(options) { database in
                database.map { given.contains("://") ? Self.replacing($0, in: given) : "\(given) dbname=\($0)" }
                    ?? given
            }
            return try await body(server)
        }
        let configuration = EmbeddedServerConfiguration(
            directory: directory,
            settings: Self.ownSettings,
            isTemporary: true
        )
        return try await EmbeddedServer.withServer(configuration, logger: logger) { server in
            try await body(try await BenchmarkServer(options) { server.url(database: $0) })
        }
    }

    /// The URI with another database in its path.
    private static func replacing(_ database: String, in uri: String) -> String {
        guard let scheme = uri.firstRange(of: "://") else { return uri }
        let rest = uri[scheme.upperBound...]
        let query = rest.firstIndex(of: "?") ?? rest.endIndex
        let host = rest[..<query].firstIndex(of: "/") ?? query
        return uri[..<scheme.upperBound] + rest[..<host] + "/\(database)" + rest[query...]
    }

    private init(_ options: BenchmarkOptions, url: @escaping @Sendable (String?) -> String) async throws {
        self.url = url
        settings = try await PostgresConnection.with(PostgresConfiguration(url: url(nil))) { connection in
            var settings: [String: String] = [:]
            for name in Self.shown {
                settings[name] = try await connection.text(unsafeSQL: "show \(name)").first?.first ?? nil
            }
            return settings
        }
        guard isDurable || options.allowsUndurable else {
            throw BenchmarkError(
                .undurable,
                "the server runs with fsync \(settings["fsync"] ?? "?") and synchronous_commit "
                    + "\(settings["synchronous_commit"] ?? "?"), so that it may lose what it acknowledged: measure on "
                    + "one that does not, or say --undurable"
            )
        }
    }

    /// Whether a commit is on disk when it is acknowledged.
    package var isDurable: Bool { settings["fsync"] == "on" && settings["synchronous_commit"] != "off" }

    /// Gives `body` a database of its own, which is dropped afterwards.
    func withDatabase<R>(
        _ content: Content,
        _ body: (PostgresConfiguration) async throws -> R
    ) async throws -> R {
        let name = "bench_\(UInt64.random(in: 0 ... .max))"
        return try await PostgresConnection.with(PostgresConfiguration(url: url(nil))) { administrator in
            do {
                try await administrator.run(unsafeSQL: "create database \(name) template template0")
                let database = PostgresConfiguration(url: url(name), schema: content == .recorder ? "recorder" : nil)
                if content == .recorder {
                    try await PostgresConnection.with(database) { try await ShippedSchema.install(on: $0) }
                }
                // Flush earlier writes now, not while the next ones are measured.
                try await administrator.run(unsafeSQL: "checkpoint")
                let result = try await body(database)
                try await administrator.run(unsafeSQL: "drop database \(name) with (force)")
                return result
            } catch {
                _ = try? await administrator.run(unsafeSQL: "drop database if exists \(name) with (force)")
                throw error
            }
        }
    }
}
