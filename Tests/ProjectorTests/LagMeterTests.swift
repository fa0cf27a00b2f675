import Logging
import Postgres
import RecorderTesting
import Testing

@testable import Projector

@Suite struct LagMeterTests {
    /// A million events to count, or a lock: whatever the figures wait for, the workers live meanwhile.
    @Test func `figures that take long hold no heartbeat up`() async throws {
        try await withTestDatabase { database in
            let logger = Logger(label: "recorder.test")
            let fleet = WorkerFleet(database, count: 1, projections: [], logger: logger)
            try await fleet.join()
            let meter = LagMeter(database, interval: .milliseconds(10), logger: logger)
            try await withConnection(database) { holder in
                try await holder.run(unsafeSQL: "begin; lock table projection_quarantine in access exclusive mode")
                let tasks = [Task { await fleet.run() }, Task { await meter.run() }]
                try await withConnection(database) { connection in
                    let figures = """
                        from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                        """
                    try await eventually("the figures wait") {
                        try await !connection.text(unsafeSQL: "select pid \(figures)").isEmpty
                    }
                    let waiting = try await connection.text(unsafeSQL: "select pid, query_start \(figures)")
                    var beats: Set<String> = []
                    try await eventually("the heart beats") {
                        let beat = try await connection.text(unsafeSQL: "select heartbeat_at from projector_workers")
                        beats.insert(try #require(beat.first?.first ?? nil))
                        return beats.count >= 6
                    }
                    #expect(try await connection.text(unsafeSQL: "select pid, query_start \(figures)") == waiting)
                }
                for task in tasks { task.cancel() }
                try await holder.run(unsafeSQL: "rollback")
                for task in tasks { await task.value }
            }
        }
    }
}
