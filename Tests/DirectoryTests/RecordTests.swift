import EventModel
import RecorderTesting
import Testing

@testable import Directory

/// What kinds of records say of their columns.
@Suite struct RecordTests {
    @Test func `a table's columns are read in the order of the properties that they fill`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            try await user.voiceModels.create(.init(provider: .xtts, modelPath: "v"))
            try await user.faceModels.create(.init(modelPath: "f", width: 1, height: 1))
            try await user.documents.create(.init(filename: "n", textContent: "t"))
            let session = StreamID.generate(at: .now())
            try await fixture.run(
                """
                select append_event('\(session)', 'session.started', '{"userId":"\(user.user)"}');
                select append_event('\(session)', 'turn.started', jsonb_build_object('turnId', uuid_v7()))
                """
            )
            try await fixture.project()
            try await check(user.users)
            try await check(user.voiceModels)
            try await check(user.faceModels)
            try await check(user.documents)
            try await check(user.sessions)
            try await check(user.turns)
            try await check(user.auditLog)
        }
    }

    private func check<Record: StoredRecord>(_ repository: some ReadRepository<Record>) async throws {
        let record = try #require(try await repository.findMany().items.first)
        let columns = Mirror(reflecting: Record.columns).children
        #expect(columns.map(\.label) == Mirror(reflecting: record).children.map(\.label))
        #expect(columns.map { Mirror(reflecting: $0.value).descendant("name") as? String } == Record.table.columns)
    }
}
