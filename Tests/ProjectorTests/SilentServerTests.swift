import EventModel
import Foundation
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// A server that keeps a projector's connections and says nothing on them.
@Suite(.timeLimit(.minutes(5))) struct SilentServerTests {
    /// The projector's sessions, if none of them is at work.
    private func idleSessions(_ connection: PostgresConnection) async throws -> [Int32] {
        let rows = try await connection.text(
            unsafeSQL: """
                select pid, state = 'idle' from pg_stat_activity
                where datname = current_database() and application_name = 'silent'
                """
        )
        return rows.allSatisfy { $0[1] == "t" } ? rows.compactMap { $0[0].flatMap { Int32($0) } } : []
    }

    @Test func `a batch that takes longer than the server may be silent is done in smaller ones`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(
                (0..<48).map { _ in
                    let data = #"{"turnId":"\#(UUID())"}"#
                    let turn = try EventDraft(id: .generate(at: .now()), type: .turnGenerated, data: Array(data.utf8))
                    return Append(stream: .generate(at: .now()), events: [turn])
                }
            )
            try await withConnection(database) { connection in
                try await connection.run(
                    unsafeSQL: """
                        create function dawdle() returns trigger language plpgsql as $$
                        begin
                            perform pg_catalog.pg_sleep(0.05);
                            return new;
                        end $$;
                        create trigger dawdle before insert on conversation_turns_v1 for each row execute function dawdle();
                        """
                )
            }
            let projector = Projector(
                database,
                projections: try ProjectionFiles.newest(in: .embedded).filter { $0.name == "conversation_turns" },
                options: ProjectorOptions(batchSize: 48, patience: .seconds(120), answerTimeout: .seconds(1)),
                logger: TestServer.silent
            )
            #expect(try await projector.runUntilCaughtUp() == 48)
            #expect(try await models.contents()["conversation_turns"]?.count == 48)
        }
    }

    @Test func `a worker, its listener and its heart begin again on other connections`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 1, seed: 61))
            var named = database
            named.applicationName = "silent"
            let projector = Projector(
                named,
                projections: try ProjectionFiles.newest(in: .embedded),
                options: ProjectorOptions(answerTimeout: .seconds(1)),
                logger: TestServer.silent
            )
            let running = Task { try await projector.run() }
            defer { running.cancel() }
            try await withConnection(database) { connection in
                func isAtHead() async throws -> Bool {
                    let status = try await connection.query(ProjectionStatus.Select(until: nil))
                    return !status.isEmpty && status.allSatisfy { $0.owner != nil && $0.eventsBehind == 0 }
                }
                try await eventually("it is at the head") { try await isAtHead() }
                var silent: [Int32] = []
                try await eventually("the sessions of worker, listener and heart are idle") {
                    silent = try await idleSessions(connection)
                    return silent.count == 3
                }
                for session in silent { kill(session, SIGSTOP) }
                defer { for session in silent { kill(session, SIGCONT) } }
                try await models.append(ReadModels.simulated(sessions: 1, seed: 62))
                try await eventually("it is at the head again", within: .seconds(60)) { try await isAtHead() }
                #expect(try await models.contents()["conversation_sessions"]?.count == 2)
                // It ends as it would have before.
                projector.stop()
                try await running.value
                let left = try await connection.text(unsafeSQL: "select from projector_workers")
                #expect(left.isEmpty)
            }
        }
    }
}
