import Foundation

/// How an ``EmbeddedServer`` is set up.
package struct EmbeddedServerConfiguration: Sendable {
    /// Whether committed data survives a crash of the machine.
    package enum Durability: Sendable {
        /// PostgreSQL's own default: a commit is on disk when it is acknowledged.
        case durable
        /// Nothing waits for the disk: for tests, whose data may be lost when the machine crashes. A crash of the
        /// server alone still loses nothing that was committed.
        case unsafeForTests
    }

    /// Where the data, the log and the lock live. A relative path is taken from the current directory.
    package var directory: String
    /// The database that is created with the server.
    package var database: String
    /// The superuser. Anyone who can reach the socket is let in under any name.
    package var user: String
    /// The number in the socket's name, `.s.PGSQL.<port>`. No TCP port is opened.
    package var port: Int
    /// Whether committed data survives a crash of the machine.
    package var durability: Durability
    /// Settings of `postgresql.conf`, such as `["max_connections": "300"]`.
    package var settings: [String: String]
    /// Whether the directory, data and all, is removed when the server is stopped or the process ends.
    package var isTemporary: Bool
    /// How long the server may take to start; recovery after a crash is part of it.
    package var startLimit: Duration
    /// How long the server may take to stop cleanly, before it is stopped as in a crash.
    package var stopLimit: Duration

    package init(
        directory: String = ".recorder",
        database: String = "recorder",
        user: String = "recorder",
        port: Int = 54_320,
        durability: Durability = .durable,
        settings: [String: String] = [:],
        isTemporary: Bool = false,
        startLimit: Duration = .seconds(120),
        stopLimit: Duration = .seconds(60)
    ) {
        self.directory = directory
        self.database = database
        self.user = user
        self.port = port
        self.durability = durability
        self.settings = settings
        self.isTemporary = isTemporary
        self.startLimit = startLimit
        self.stopLimit = stopLimit
    }

    /// The arguments that `postgres` is started with.
    ///
    /// - Parameters:
    ///   - data: The data directory.
    ///   - socketDirectory: Where the socket is made.
    func arguments(data: String, socketDirectory: String) -> [String] {
        var all = [
            "log_line_prefix": "%m [%p] ", "timezone": "UTC", "log_timezone": "UTC", "logging_collector": "off",
        ]
        if durability == .unsafeForTests {
            all.merge(["fsync": "off", "full_page_writes": "off"]) { $1 }
        }
        all.merge(settings) { $1 }
        // These cannot be overridden: they keep the server private.
        all.merge(
            [
                "listen_addresses": "", "port": String(port), "unix_socket_directories": socketDirectory,
                "unix_socket_permissions": "0700",
            ]
        ) { $1 }
        return ["-D", data] + all.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
    }

    /// A libpq connection string for the server that runs in ``directory``; nil if its socket is not there.
    package var runningURL: String? {
        let folder = URL(filePath: "\(directory)/socket").resolvingSymlinksInPath().path(percentEncoded: false)
        guard FileManager.default.fileExists(atPath: "\(folder)/.s.PGSQL.\(port)") else { return nil }
        return url(socketDirectory: folder)
    }

    /// A libpq connection string for a database; nil is the one of the configuration.
    func url(socketDirectory: String, database: String? = nil) -> String {
        let word = Self.connectionWord
        return "host=\(word(socketDirectory)) port=\(port) dbname=\(word(database ?? self.database)) user=\(word(user))"
    }

    /// Quotes a word for a libpq connection string where it needs that.
    private static func connectionWord(_ value: String) -> String {
        let plain = !value.isEmpty && !value.contains { " '\\".contains($0) }
        if plain { return value }
        return "'" + value.map { "'\\".contains($0) ? "\\\($0)" : String($0) }.joined() + "'"
    }
}
