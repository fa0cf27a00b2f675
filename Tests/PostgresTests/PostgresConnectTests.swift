import Dispatch
import Foundation
import Glibc
import RecorderTesting
import Testing

@testable import Postgres

@Suite struct PostgresConnectTests {
    private func failure(_ url: String, timeout: Duration = .seconds(300)) async throws -> PostgresError {
        try await postgresError {
            try await PostgresConnection.connect(PostgresConfiguration(url: url, connectTimeout: timeout))
        }
    }

    @Test func `a port that nobody listens on is refused`() async throws {
        let silent = try SilentPort(accepts: false)
        let error = try await failure("host=127.0.0.1 port=\(silent.number) user=nobody")
        #expect(error.code == .connectionFailed)
        #expect(error.isRetryable && !error.isLasting)
        #expect(error.message.contains("refused"))
    }

    @Test func `a socket that is not there is an error that names it`() async throws {
        let error = try await failure("host=/nonexistent port=5432 user=nobody")
        #expect(error.code == .connectionFailed)
        #expect(!error.isLasting, "a server may make it")
        #expect(error.message.contains("/nonexistent"))
    }

    @Test func `a host that nobody knows is an error that names it`() async throws {
        let error = try await failure("host=no-such-host.invalid user=nobody")
        #expect(error.code == .connectionFailed)
        #expect(error.message.contains("no-such-host.invalid"))
    }

    @Test(arguments: ["host=", "postgresql://[half", "nonsense=1 user=x"])
    func `a URL that does not read is an error`(url: String) async throws {
        let error = try await failure(url + " port=none")
        #expect(error.code == .connectionFailed)
        #expect(error.isLasting == error.message.contains("cannot be read"), "\(error)")
    }

    @Test(arguments: [
        "postgresql://ada:Sw0rd%zzfish@localhost/db", "postgresql://ada:Sw0rd/fish@localhost/db",
        "postgresql://ada:Sw0rd@fish@localhost/db", "postgres://ada:123/Sw0rd@localhost/db", "postgresql://ada:Sw0rd",
        "host=/nonexistent password=Sw0rd fish", "host=/nonexistent password=Sw0rd fish=",
    ])
    func `a URL whose password is not percent-encoded is told so, and nothing of it`(url: String) async throws {
        let error = try await failure(url)
        #expect(error.code == .connectionFailed)
        #expect(error.message.contains("percent-encode"), "\(error)")
        for part in ["Sw0rd", "fish", "123"] { #expect(!error.description.contains(part)) }
    }

    @Test(arguments: [
        "postgresql://ada:Sw0rd%25%2F%40@%2Fnonexistent/db?application_name=a@b", "host=@nonexistent port=' 5432 '",
        "postgresql:///db?host=/nonexistent",
    ])
    func `a URL that libpq can read is tried`(url: String) async throws {
        let error = try await failure(url)
        #expect(error.message.contains("nonexistent"), "\(error)")
    }

    @Test func `a database and a role that are not there are errors with the server's words`() async throws {
        try await withDatabase { configuration in
            let database = try await failure(configuration.url + " dbname=nowhere")
            #expect(database.code == .connectionFailed && database.isLasting)
            #expect(database.message.hasSuffix("FATAL:  database \"nowhere\" does not exist"), "\(database)")
            let role = try await failure(configuration.url + " user=stranger")
            #expect(role.code == .connectionFailed && role.isLasting)
            #expect(role.message.hasSuffix("FATAL:  role \"stranger\" does not exist"), "\(role)")
        }
    }

    @Test func `what one of several addresses refuses for good may still work at another`() async throws {
        try await withDatabase { configuration in
            let path = try #require(configuration.url.split(separator: " ").first { $0.hasPrefix("host=") }).dropFirst(
                5
            )
            let error = try await failure(configuration.url + " dbname=nowhere host=/nonexistent,\(path)")
            #expect(error.message.contains("/nonexistent") && error.message.contains("\"nowhere\""), "\(error)")
            #expect(!error.isLasting)
        }
    }

    @Test func `a server that never answers is given up in time`() async throws {
        let silent = try SilentPort(accepts: true)
        let error = try await failure("host=127.0.0.1 port=\(silent.number) user=nobody", timeout: .milliseconds(200))
        #expect(error.code == .timedOut)
    }

    @Test(arguments: ["any", "read-write", "primary", "prefer-standby"])
    func `a host that accepts and says nothing does not keep the next from being tried`(attributes: String) async throws
    {
        let silent = try SilentPort(accepts: true)
        try await withDatabase { given in
            let words = given.url.split(separator: " ").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
            let own = Dictionary(words.map { ($0[0], $0[1]) }) { $1 }
            var configuration = given
            configuration.connectTimeout = .seconds(10)
            configuration.url =
                "host=127.0.0.1,\(own["host"] ?? "") port=\(silent.number),\(own["port"] ?? "") "
                + "dbname=\(own["dbname"] ?? "") user=\(own["user"] ?? "") target_session_attrs=\(attributes)"
            try await withSession(configuration) { session in try await #expect(session.first(Echo(1)) == 1) }
            var wanted = configuration
            wanted.url += " connect_timeout=3"
            wanted.connectTimeout = .seconds(600)
            try await withSession(wanted) { session in try await #expect(session.first(Echo(1)) == 1) }
        }
    }

    @Test(.timeLimit(.minutes(2))) func `every address of a name is tried, and the name is told`() async throws {
        let silent = try SilentPort(accepts: true)
        var configuration = PostgresConfiguration(
            url: "host=several port=\(silent.number) user=nobody connect_timeout=1",
            connectTimeout: .seconds(600)
        )
        configuration.lookUp = { _ in ["127.0.0.1", "127.0.0.2"] }
        let error = try await postgresError { [configuration] in try await PostgresConnection.connect(configuration) }
        #expect(error.code == .connectionFailed)
        #expect(error.message.hasPrefix("no connection to several within 1.0 seconds"), "\(error)")
        #expect(error.message.contains("cannot connect to several"), "\(error)")
        #expect(error.message.contains("\"127.0.0.2\", port \(silent.number) failed"), "\(error)")
    }

    @Test func `a name whose look-up does not end is given up in time, and when the task is cancelled`() async throws {
        let (isAsked, ends) = (Gate(), DispatchSemaphore(value: 0))
        defer { for _ in 1...2 { ends.signal() } }
        var hasty = PostgresConfiguration(url: "host=slow user=nobody", connectTimeout: .milliseconds(200))
        hasty.lookUp = { _ in
            ends.wait()
            return []
        }
        let error = try await postgresError { [hasty] in try await PostgresConnection.connect(hasty) }
        #expect(error.code == .timedOut)
        #expect(error.message.contains("\"slow\""), "\(error)")
        var patient = PostgresConfiguration(url: "host=slow user=nobody", connectTimeout: .seconds(600))
        patient.lookUp = { _ in
            isAsked.open()
            ends.wait()
            return []
        }
        let task = Task { [patient] in try await PostgresConnection.connect(patient) }
        await isAsked.pass()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test(.timeLimit(.minutes(2))) func `the URL's connect_timeout bounds each host`() async throws {
        let silent = try SilentPort(accepts: true)
        let url = "host=127.0.0.1,127.0.0.1 port=\(silent.number) user=nobody connect_timeout=1"
        let error = try await failure(url, timeout: .seconds(600))
        #expect(error.code == .timedOut)
        #expect(error.message.components(separatedBy: "127.0.0.1").count == 3, "\(error.message)")
    }

    @Test func `cancellation while connecting returns at once`() async throws {
        let silent = try SilentPort(accepts: true)
        let configuration = PostgresConfiguration(
            url: "host=127.0.0.1 port=\(silent.number) user=nobody",
            connectTimeout: .seconds(600)
        )
        let task = Task { try await PostgresConnection.connect(configuration) }
        try await silent.waitForClient()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // In a pool the place becomes free again.
        let pool = PostgresPool(configuration, limits: PostgresPool.Limits(size: 1))
        let pooled = Task { try await pool.first(Echo(1)) }
        try await silent.waitForClient()
        pooled.cancel()
        await #expect(throws: CancellationError.self) { try await pooled.value }
        #expect(pool.figures.open == 0)
        await pool.close()
    }

    @Test func `connections in the making hold none of the threads that all tasks share`() async throws {
        let isAsked = (0...ProcessInfo.processInfo.activeProcessorCount).map { _ in Gate() }
        let ends = DispatchSemaphore(value: 0)
        let tasks = isAsked.map { gate in
            Task {
                var configuration = PostgresConfiguration(url: "host=slow", connectTimeout: .seconds(600))
                configuration.lookUp = { _ in
                    gate.open()
                    ends.wait()
                    return []
                }
                return try await PostgresConnection.connect(configuration)
            }
        }
        defer { for _ in tasks { ends.signal() } }
        for gate in isAsked { await gate.pass() }
        for task in tasks {
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func `of several hosts the first that fits is taken`() async throws {
        try await withDatabase { given in
            let path = try #require(given.url.split(separator: " ").first { $0.hasPrefix("host=") }).dropFirst(5)
            var configuration = given
            configuration.url = given.url.split(separator: " ").filter { !$0.hasPrefix("host=") }.joined(separator: " ")
            configuration.url += " host=/nonexistent,\(path)"
            for attributes in ["any", "read-write", "primary", "prefer-standby"] {
                var wanted = configuration
                wanted.url += " target_session_attrs=\(attributes)"
                try await withSession(wanted) { session in try await #expect(session.first(Echo(1)) == 1) }
            }
            for attributes in ["standby", "read-only"] {
                let error = try await failure(configuration.url + " target_session_attrs=\(attributes)")
                #expect(error.code == .connectionFailed)
            }
        }
    }
}

/// A TCP port on loopback on which nobody speaks PostgreSQL.
private final class SilentPort: Sendable {
    let number: UInt16
    private let listener: Int32

    /// - Parameter accepts: Whether clients can connect; without, they are refused.
    init(accepts: Bool) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(listener, address, length) == 0 && (!accepts || listen(listener, 8) == 0)
                    && getsockname(listener, address, &length) == 0
            }
        }
        try #require(bound)
        number = UInt16(bigEndian: address.sin_port)
    }

    deinit { Glibc.close(listener) }

    /// Waits until a client has connected; on a thread of its own, for the client may need all of the shared pool's.
    func waitForClient() async throws {
        let listener = listener
        let isThere = await withCheckedContinuation { continuation in
            DispatchQueue(label: "silent port").async {
                var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
                let ready = unsafe poll(&waiting, 1, 300_000)
                continuation.resume(returning: ready == 1 && accept(listener, nil, nil) >= 0)
            }
        }
        try #require(isThere)
    }
}
