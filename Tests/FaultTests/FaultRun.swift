import EventModel
import Foundation
import Operations
import Postgres
import RecorderTesting
import Synchronization

/// Producers and projectors at work on one server while a plan of faults goes over them.
final class FaultRun: Sendable {
    /// What the run has seen.
    struct Report: Sendable {
        /// From the kill of a projector until others had claimed all its shards: undisturbed, and with other faults
        /// meanwhile.
        var takeovers: [Duration] = []
        var disturbedTakeovers: [Duration] = []
        /// Sessions that stop for good at their first event.
        var poisoned: Set<String> = []
        /// Streams that were refused for a while.
        var refused: Set<String> = []
        /// What an SQL client appended.
        var acknowledged: [Producer.Key: Int] = [:]
        /// How many faults there were, by name.
        var faults: [String: Int] = [:]
        /// Events that were committed while the producer that had sent them could no longer read the answer.
        var unread: Set<Producer.Key> = []
        /// How often each model was rebuilt.
        var rebuilds: [String: Int] = [:]
        /// How many rebuilds were killed in the middle and went on there.
        var resumed = 0
        /// Models that are being rebuilt: one process at a time builds one.
        var rebuilding: Set<String> = []
        /// What must not be.
        var differences: [String] = []
    }

    let plan: FaultPlan
    let server: EmbeddedServer
    let producers: [Producer]
    let projectors: [ProjectorSlot]
    /// Where its processes leave what they log.
    let folder: URL
    let start = ContinuousClock.now
    let state = Mutex(Report())
    /// Counts what disturbs a take-over.
    let disturbances = Mutex((begun: 0, open: 0))

    init(_ plan: FaultPlan, on server: EmbeddedServer, folder: URL) {
        self.plan = plan
        self.server = server
        self.folder = folder
        producers = (0..<FaultPlan.producers).map { Producer($0, databaseURL: server.url(), folder: folder) }
        projectors = (0..<FaultPlan.projectors).map { ProjectorSlot($0, databaseURL: server.url(), folder: folder) }
    }

    /// What it has seen so far.
    var report: Report { state.withLock { $0 } }

    /// Notes what must not be.
    func differs(_ text: String) { state.withLock { $0.differences.append(text) } }

    /// Prints a line with the time since the beginning.
    func say(_ text: String) { Journal.line("\(Figure.seconds(start.duration(to: .now)))  \(text)") }

    /// Puts producers and projectors to work, lets all faults happen, and ends in order.
    func run(rate: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for projector in projectors { group.addTask { try await projector.run() } }
            try await withThrowingTaskGroup(of: Void.self) { work in
                let end = start + plan.length
                for producer in producers {
                    work.addTask { [self] in
                        try await producer.run(seed: plan.seed &+ UInt64(producer.number), until: end, rate: rate)
                    }
                }
                for fault in plan.faults {
                    try await Task.sleep(until: start + fault.at)
                    work.addTask { [self] in try await strike(fault.kind) }
                }
                try await work.waitForAll()
            }
            try await finish()
            try await group.waitForAll()
        }
    }

    // MARK: The end

    private func finish() async throws {
        say("the producers have finished; everything is projected")
        let expected = report.poisoned.map { "'\($0)'" }.joined(separator: ",")
        let others = expected.isEmpty ? "" : "where stream_id not in (\(expected))"
        // A retry that was asked for is done by the owner, whoever that is by now.
        let left = try await RecorderCommand.run("projections", "retry", databaseURL: server.url())
        if left.status != 0 { differs("projections retry ends with \(left.status): \(left.errors)") }
        let projected = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: server.url())
        // It says so where streams are stopped, which those with a poisoned event may be for good.
        if projected.status != 0, projected.status != 1 || report.poisoned.isEmpty {
            differs("project --until-caught-up ends with \(projected.status): \(projected.errors)")
        }
        let quarantine = "select count(*) from projection_quarantine \(others)"
        if try await !wait(.seconds(20), { try await query(quarantine) == [["0"]] }) {
            let rows = try await query("select projection, stream_id, error from projection_quarantine \(others)")
            differs("streams are still stopped: \(rows)")
        }
        for projector in projectors {
            let status = await projector.stop()
            if status != 0 { differs("projector \(projector.number) ends with \(status): \(projector.lastWords)") }
        }
        let held = try await query("select count(*) from projection_checkpoints where owner is not null")
        if held != [["0"]] { differs("\(held[0]) shards were not given back after SIGTERM") }
    }

    // MARK: Looking

    /// Waits until a condition holds.
    ///
    /// - Returns: Whether it does.
    func wait(_ limit: Duration, _ condition: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while try await !condition() {
            guard ContinuousClock.now < end else { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    /// A connection of the run's own, as soon as the server can be reached.
    func connect(database: String? = nil) async throws -> PostgresConnection {
        let configuration = PostgresConfiguration(
            url: server.url(database: database),
            schema: database == nil ? "recorder" : nil,
            applicationName: "fault"
        )
        let end = ContinuousClock.now + .seconds(60)
        while true {
            do {
                return try await PostgresConnection.connect(configuration, logger: TestServer.logger)
            } catch let error as PostgresError {
                guard ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// Runs a statement, again if the server goes away meanwhile.
    @discardableResult
    func query(_ sql: String) async throws -> [[String?]] {
        let end = ContinuousClock.now + .seconds(300)
        while true {
            let connection = try await connect()
            do {
                let rows = try await connection.text(unsafeSQL: sql)
                await connection.close()
                return rows
            } catch let error as PostgresError where error.isRetryable || error.code != .server {
                await connection.close()
                guard .now < end else { throw error }
            }
        }
    }
}
