internal import Postgres
internal import Synchronization

/// Sessions that fold, each lent to one lane at a time and kept for the next: what they have planned stays planned.
final class FoldConnections: Sendable {
    private let configuration: PostgresConfiguration
    private let idle = Mutex<[PostgresConnection]>([])

    /// - Parameter configuration: How to connect; the settings of ``FoldSession`` are added.
    init(_ configuration: PostgresConfiguration) {
        var configuration = configuration
        configuration.settings.merge(FoldSession.settings) { given, _ in given }
        self.configuration = configuration
    }

    /// Lends a session to `body`; one that fails is closed.
    func withConnection(_ body: (PostgresConnection) async throws -> Void) async throws {
        let known = idle.withLock { $0.popLast() }
        let connection =
            if let known, known.isOpen { known } else { try await PostgresConnection.connect(configuration) }
        do {
            try await body(connection)
            idle.withLock { $0.append(connection) }
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Closes those that nobody has.
    func close() async {
        let connections = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        for connection in connections { await connection.close() }
    }
}
