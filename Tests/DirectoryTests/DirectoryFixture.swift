import EventModel
import Operations
import Postgres
import Projector
import RecorderTesting
import Schema
import Testing

@testable import Directory

/// A database with the recorder's schema, and a directory whose login may act for users and nothing more.
struct DirectoryFixture: Sendable {
    /// As the superuser.
    let database: PostgresConfiguration
    /// As a login that is a member of recorder_service only.
    let service: PostgresConfiguration
    let directory: UserDirectory

    /// Registers a user.
    func register(_ name: String = "somebody", from address: String? = nil) async throws -> Repositories {
        let metadata = EventMetadata(ipAddress: address, userAgent: "test/1")
        let user = StreamID.generate(at: .now())
        let repositories = directory.acting(for: ActingUser(user, metadata: metadata))
        try await repositories.users.create(User.Draft(email: "\(name).\(user)@example.org"))
        return repositories
    }

    /// What the superuser's query says, as text.
    func text(_ sql: String) async throws -> [[String?]] {
        try await withConnection(database) { try await $0.text(unsafeSQL: sql) }
    }

    /// Runs a script as the superuser.
    func run(_ sql: String) async throws {
        try await withConnection(database) { try await $0.run(unsafeSQL: sql) }
    }

    /// Projects the log to its head.
    func project() async throws {
        let projector = Projector(
            database,
            projections: try ProjectionFiles.newest(in: .embedded),
            options: ProjectorOptions(batchSize: 1_000, workers: 1, onFailure: .halt)
        )
        try await projector.runUntilCaughtUp()
    }
}

/// The login that acts for users; roles belong to the server, which this process has one of.
private let login = Task {
    let server = try await TestServer.shared.running()
    try await withConnection(PostgresConfiguration(url: server.url(database: "postgres"))) { connection in
        try await connection.run(
            unsafeSQL: """
                create role test_service login;
                grant recorder_service to test_service;
                alter role test_service set deadlock_timeout = '20ms'
                """
        )
    }
}

/// Runs a test with a directory of its own.
func withDirectory<R>(connections: Int = 8, _ body: (DirectoryFixture) async throws -> R) async throws -> R {
    try await withTestDatabase { database in
        // The template's migrations have made the role.
        try await login.value
        var service = database
        service.url += " user=test_service"
        let pool = PostgresPool(service, limits: PostgresPool.Limits(size: connections, acquireTimeout: .seconds(60)))
        let directory = UserDirectory(pool)
        do {
            let result = try await body(DirectoryFixture(database: database, service: service, directory: directory))
            await directory.close()
            return result
        } catch {
            await directory.close()
            throw error
        }
    }
}

/// Expects a call to fail with a code.
///
/// - Returns: The error.
@discardableResult
func expect<R>(
    _ code: DirectoryError.Code,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> R
) async -> DirectoryError? {
    let error = await #expect(throws: DirectoryError.self, comment, sourceLocation: sourceLocation) {
        _ = try await body()
    }
    #expect(
        error?.code == code,
        comment ?? "\(error.map(String.init(describing:)) ?? "")",
        sourceLocation: sourceLocation
    )
    return error
}

extension Repositories {
    /// Whose they are.
    var user: StreamID { context.acting.user }
}
