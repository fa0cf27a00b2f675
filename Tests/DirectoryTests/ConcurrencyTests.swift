import EventModel
import RecorderTesting
import Testing

@testable import Directory

/// Each call of a repository with 64 tasks at once, on the real database.
@Suite struct ConcurrencyTests {
    /// Runs a call in 64 tasks, half of them of one user, the others each of a user of its own.
    private func sixtyFour(
        _ users: [Repositories],
        _ call: @escaping @Sendable (Repositories, Int) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<64 {
                let user = users[task < 32 ? 0 : task - 31]
                group.addTask { try await call(user, task) }
            }
            try await group.waitForAll()
        }
    }

    @Test func `every call holds with 64 tasks at once`() async throws {
        try await withDirectory(connections: 16) { fixture in
            let users = try await withThrowingTaskGroup(of: Repositories.self) { group in
                for number in 0..<33 { group.addTask { try await fixture.register("user\(number)") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(users.map(\.user)).count == 33)
            @Sendable func own(_ user: Repositories, _ task: Int) -> Query<KnowledgeDocument> {
                Query(where: { $0.filename == "task \(task)" }, order: { $0.chunkCount.ascending })
            }
            try await sixtyFour(users) { user, task in
                let made = try await user.documents.create(
                    .init(filename: "task \(task)", textContent: "pears \(task)")
                )
                #expect(try await user.documents.find(made.id) == made)
            }
            try await sixtyFour(users) { user, task in
                let made = try await user.documents.createMany(
                    (1...3).map { .init(filename: "task \(task)", textContent: "pears", chunkCount: $0) }
                )
                #expect(made.count == 3 && made.allSatisfy { $0.userID == user.user })
            }
            try await sixtyFour(users) { user, task in
                let found = try await user.documents.findMany(own(user, task)).items
                #expect(found.map(\.chunkCount) == [0, 1, 2, 3])
                #expect(try await user.documents.findOne(own(user, task)) == found[0])
                #expect(try await user.documents.count(own(user, task)) == 4)
                #expect(try await user.documents.exists(own(user, task)))
                #expect(try await user.documents.select(own(user, task)) { $0.chunkCount }.items == [0, 1, 2, 3])
                let related = try await user.users.findMany(Query(), with: .documents, own(user, task))
                #expect(related.items.map(\.others.count) == [4])
                #expect(try await user.searchDocuments("pears", limit: 200).items.count == (task < 32 ? 128 : 4))
            }
            try await sixtyFour(users) { user, task in
                let found = try await user.documents.findMany(own(user, task)).items
                try await user.documents.update(found[0].id, version: 1) { [$0.status.set(.processing)] }
                #expect(try await user.documents.updateMany(own(user, task)) { [$0.contentType.set("text/x")] } == 4)
                try await user.documents.delete(found[1].id)
                try await user.documents.hardDelete(found[2].id)
                try await user.documents.delete(found[3].id)
                #expect(try await user.documents.restore(found[3].id).version == 4)
                #expect(try await user.documents.count(own(user, task)) == 2)
            }
            try await sixtyFour(users) { user, task in
                try await user.transaction { unit in
                    let face = try await unit.faceModels.create(.init(modelPath: "\(task)", width: 1, height: 1))
                    try await unit.activate(faceModel: face.id, version: 1)
                }
                let voice = try await user.voiceModels.create(.init(provider: .xtts, modelPath: "\(task)"))
                try await user.activate(voiceModel: voice.id, version: 1)
            }
            for user in users {
                #expect(try await user.faceModels.count(Query(where: { $0.isActive == true })) == 1)
                #expect(try await user.voiceModels.count(Query(where: { $0.isActive == true })) == 1)
            }
            // Every row and every change of it is in the log: creations, changes, deletions, activations.
            let versions = try await fixture.text(
                """
                select (select count(*) from events join event_types on id = type where name like 'document.%')
                    = 64 * (1 + 3 + 1 + 4 + 1 + 1 + 1 + 1),
                    (select count(*) from events e where version = (select count(*) from events f where f.stream_id = e.stream_id))
                    = (select count(distinct stream_id) from events)
                """
            )
            #expect(versions == [["t", "t"]])
        }
    }
}
