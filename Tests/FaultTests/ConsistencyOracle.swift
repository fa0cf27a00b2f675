import EventModel
import Foundation
import Operations
import Postgres
import RecorderTesting

/// Says what differs at the end of a run: between what was acknowledged and what is stored, and between what is stored
/// and what the read models hold.
struct ConsistencyOracle {
    let run: FaultRun
    let folder: URL
    private(set) var differences: [String] = []
    /// How many events are stored.
    private(set) var events = 0
    /// How many of them were acknowledged.
    private(set) var acknowledged = 0
    /// How many events were committed, and the producer killed before it could read that.
    private(set) var unread = 0
    /// How many rows of read models were compared.
    private(set) var rows = 0

    init(_ run: FaultRun, folder: URL) {
        self.run = run
        self.folder = folder
    }

    /// Compares everything.
    mutating func ask() async throws {
        let connection = try await run.connect()
        try await compareLog(on: connection)
        try await compareChains()
        try await compareRebuilt()
        if SharedData.folder == nil {
            Journal.line("SKIPPED: \(SharedData.missing): the read models are not held against fold_events.py")
        } else {
            try await compareModels(on: connection)
        }
        await connection.close()
    }

    // MARK: Acknowledged and stored

    private mutating func compareLog(on connection: PostgresConnection) async throws {
        var all = run.report.acknowledged
        for producer in run.producers {
            differences += producer.report.faults
            all.merge(producer.report.acknowledged) { $1 }
        }
        acknowledged = all.count
        if all.isEmpty { differences.append("nothing was acknowledged: nothing is tested") }
        compareRepeated()
        try await connection.run(
            unsafeSQL: "create temp table acknowledged (stream_id uuid, event_id uuid, version int)"
        )
        let values = all.map { "('\($0.key.stream)','\($0.key.id)',\($0.value))" }
        for start in stride(from: 0, to: values.count, by: 5_000) {
            let part = values[start..<min(start + 5_000, values.count)].joined(separator: ",")
            try await connection.run(unsafeSQL: "insert into acknowledged values \(part)")
        }
        let count = try await connection.text(unsafeSQL: "select count(*) from events")
        events = count.first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0
        try await expectNone(
            "acknowledged, and not stored at that version",
            """
            select a.stream_id, a.event_id, a.version from acknowledged a where not exists (
                select from events e
                where e.stream_id = a.stream_id and e.version = a.version and e.event_id = a.event_id)
            """,
            on: connection
        )
        try await expectNone(
            "stored twice",
            "select stream_id, event_id from events group by 1, 2 having count(*) > 1",
            on: connection
        )
        try await expectNone(
            "streams whose versions are not 1 … n",
            """
            select stream_id from events group by 1
            having min(version) <> 1 or max(version) <> count(*) or count(distinct version) <> count(*)
            """,
            on: connection
        )
    }

    /// What was committed and never acknowledged was sent again, and recognised.
    private mutating func compareRepeated() {
        let reports = run.producers.map(\.report)
        let unread = reports.reduce(into: Set()) { $0.formUnion($1.unanswered) }.intersection(run.report.unread)
        let lost = unread.subtracting(reports.reduce(into: Set()) { $0.formUnion($1.repeated) })
        self.unread = unread.count
        guard let one = lost.first else { return }
        differences.append("\(lost.count) committed, and not recognised when they were sent again, such as \(one)")
    }

    private mutating func expectNone(_ what: String, _ sql: String, on connection: PostgresConnection) async throws {
        let found = try await connection.text(unsafeSQL: sql)
        guard !found.isEmpty else { return }
        differences.append("\(found.count) \(what), such as \(found[0].map { $0 ?? "NULL" })")
    }

    // MARK: Stored and projected

    private mutating func compareChains() async throws {
        let verified = try await RecorderCommand.run("audit", "verify", databaseURL: run.server.url())
        if verified.status != 0 { differences.append("audit verify: \(verified.output)\(verified.errors)") }
    }

    /// All read models are what the log folds to, by the projections' own SQL;
    /// `fold_events.py` knows some of them only.
    private mutating func compareRebuilt() async throws {
        let verified = try await RecorderCommand.run("projections", "verify", databaseURL: run.server.url())
        if verified.status != 0 { differences.append("projections verify: \(verified.output)\(verified.errors)") }
    }

    private mutating func compareModels(on connection: PostgresConnection) async throws {
        let poisoned = run.report.poisoned
        let stopped = try await connection.text(
            unsafeSQL: "select projection, stream_id, event_version from projection_quarantine order by 2, 1"
        )
        let expected = poisoned.sorted().flatMap { stream in
            ["conversation_sessions", "conversation_turns", "latency_metrics"].map { [$0, stream, "1"] }
        }
        if stopped != expected { differences.append("in quarantine are \(stopped), expected \(expected)") }
        // Users' streams have no session row.
        let sessions = try await connection.text(
            unsafeSQL: """
                select distinct stream_id from events
                where type in (select id from event_types where name like 'session.%' or name like 'turn.%')
                """
        )
        let known = Set(sessions.compactMap { $0[0] }).subtracting(poisoned)
        let file = try await export(known)
        let expectation = try OracleExpectation(try await SharedData.expectation(of: [file]))
        var comparison = OracleComparison(ignoring: poisoned)
        try await comparison.compare(expectation, on: connection)
        rows = comparison.rows
        if rows == 0 { differences.append("no row was compared: nothing is tested") }
        differences += comparison.differences
    }

    /// Writes the events of some streams to a file, in the log's order.
    private func export(_ streams: Set<String>) async throws -> URL {
        let tail = try await RecorderCommand.run(
            "tail",
            "--from-beginning",
            "--until-idle",
            "--json",
            databaseURL: run.server.url()
        )
        guard tail.status == 0 else { throw CocoaError(.executableRuntimeMismatch) }
        let marker = #""stream":""#
        let lines = tail.lines.filter { line in
            guard let place = line.range(of: marker) else { return false }
            return streams.contains(String(line[place.upperBound...].prefix(36)))
        }
        let file = folder.appending(path: "stored.jsonl")
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
        return file
    }
}
