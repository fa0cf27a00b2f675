import Foundation
import Logging
import Postgres
import RecorderTesting
import ServiceLifecycle
import Testing

@testable import Cache

/// Runs a test with the caches of two processes on one database; both hear of changes.
func withCaches(
    _ options: CacheOptions = CacheOptions(),
    logger: Logger = TestServer.logger,
    _ body: @Sendable (PostgresConfiguration, _ one: Caches, _ other: Caches) async throws -> Void
) async throws {
    var options = options
    options.patience = CacheOptions.patient.patience
    try await withTestDatabase { [options] configuration in
        let one = try Caches(configuration, options: options, logger: logger)
        let other = try Caches(configuration, options: options, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caches in [one, other] { group.addTask { try await caches.run() } }
            for caches in [one, other] { try await caches.waitUntilHearing() }
            try await body(configuration, one, other)
            group.cancelAll()
        }
        for caches in [one, other] { await caches.close() }
    }
}

/// Runs SQL on a connection of its own, and gives its last rows.
@discardableResult
func sql(_ configuration: PostgresConfiguration, _ script: String) async throws -> [[String?]] {
    let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
    do {
        let rows = try await connection.text(unsafeSQL: script)
        await connection.close()
        return rows
    } catch {
        await connection.close()
        throw error
    }
}

/// Makes a table of documents whose changes are watched, unless the schema has one.
func watchDocuments(_ configuration: PostgresConfiguration) async throws {
    try await sql(
        configuration,
        """
        create table watched_documents (user_id uuid not null, title text not null);
        select watch_documents('watched_documents');
        """
    )
}

extension CacheOptions {
    /// Waits for the table however busy the machine is.
    static let patient = CacheOptions(patience: .seconds(60))
}

extension VectorSearch {
    static func of(_ user: UUID, _ query: String = "opening hours") -> VectorSearch {
        VectorSearch(user: user, query: query, model: "test-embedding", limit: 3)
    }
}

extension VectorMatch {
    static func of(_ text: String) -> VectorMatch {
        VectorMatch(document: UUID(), chunk: 4, score: 0.75, text: text)
    }
}

extension LLMPrompt {
    static func of(_ user: UUID, _ text: String = "good morning") -> LLMPrompt {
        LLMPrompt(user: user, model: "test-model", text: text, parameters: "temperature=0")
    }
}
