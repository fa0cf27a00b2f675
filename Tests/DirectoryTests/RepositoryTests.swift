import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import Directory

/// Every call of a repository, on every kind of entity, against the real tables.
@Suite struct RepositoryTests {
    @Test func `a server that says nothing is not waited for without end`() {
        let user = UserDirectory(url: "").acting(for: .generate(at: .now()))
        #expect((user.context as? PooledContext)?.pool.configuration.answerTimeout == .seconds(60))
    }

    /// What a kind of entities needs to be put through all calls.
    private struct Subject<R: Repository> {
        let repository: R
        let draft: (Int) -> R.Record.Draft
        /// Sets something that can be told by ``shows``.
        let change: (R.Record.Settable) -> [Assignment<R.Record>]
        let shows: (R.Record) -> Bool
        let isUser: Bool
    }

    /// Puts a repository through its life; users exist already, once.
    private func live<R: Repository>(_ subject: Subject<R>) async throws {
        let repository = subject.repository
        let first: R.Record
        if subject.isUser {
            first = try #require(try await repository.findOne(Query()))
        } else {
            #expect(try await repository.count() == 0)
            #expect(try await !repository.exists(Query()))
            first = try await repository.create(subject.draft(0))
            let others = try await repository.createMany((1..<4).map(subject.draft))
            #expect(try await repository.createMany([]).isEmpty)
            #expect(Set(others.map(\.id)).count == 3)
            #expect(try await repository.count() == 4)
        }
        #expect(first.version == 1)
        #expect(try await repository.exists(Query()))
        let found = try #require(try await repository.find(first.id))
        #expect(found.id == first.id && found.version == 1)

        // Only what is given, and only from the version that was read.
        #expect(!subject.shows(found))
        let updated = try await repository.update(first.id, version: 1, subject.change)
        #expect(subject.shows(updated) && updated.version == 2)
        let stale = await expect(.stale) { try await repository.update(first.id, version: 1, subject.change) }
        #expect(stale?.found == 2)
        await expect(.stale) { try await repository.delete(first.id, version: 1) }
        await expect(.invalid) { try await repository.update(first.id, version: 2) { _ in [] } }
        await expect(.invalid) {
            try await repository.update(first.id, version: 2) { subject.change($0) + subject.change($0) }
        }

        // Deleted rows are not there, unless they are asked for.
        let deleted = try await repository.delete(first.id, version: 2)
        #expect(deleted.deletedAt != nil && deleted.version == 3)
        #expect(try await repository.find(first.id) == nil)
        #expect(try await repository.find(first.id, deleted: .included)?.id == first.id)
        #expect(try await repository.find(first.id, deleted: .only)?.id == first.id)
        #expect(try await repository.findMany().items.count == (subject.isUser ? 0 : 3))
        #expect(try await repository.findMany(Query(deleted: .included)).items.count == (subject.isUser ? 1 : 4))
        #expect(try await repository.findMany(Query(deleted: .only)).items.map(\.id) == [first.id])
        #expect(try await repository.count(Query(deleted: .only)) == 1)
        await expect(.notFound) { try await repository.delete(first.id) }
        await expect(.notFound) { try await repository.update(first.id, version: 3, subject.change) }
        let restored = try await repository.restore(first.id)
        #expect(restored.deletedAt == nil && restored.version == 4)
        #expect(try await repository.find(first.id, deleted: .only) == nil)
        await expect(.notFound) { try await repository.restore(first.id) }

        // All that a query finds.
        let all = subject.isUser ? 1 : 4
        #expect(try await repository.updateMany(Query(), subject.change) == all)
        #expect(try await repository.findMany().items.allSatisfy { subject.shows($0) })

        // Gone for good.
        try await repository.hardDelete(first.id)
        #expect(try await repository.find(first.id, deleted: .included) == nil)
        await expect(.notFound) { try await repository.hardDelete(first.id) }
        await expect(.notFound) { try await repository.restore(first.id) }
    }

    @Test func `a user lives through all calls`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            await expect(.invalid) {
                try await user.users.update(EntityID(user.user.uuid), version: 1) { [$0.email.set("no")] }
            }
            try await live(
                Subject(
                    repository: user.users,
                    draft: { User.Draft(email: "\($0)@example.org") },
                    change: { [$0.subscriptionTier.set(.pro), $0.personalityTraits.set(["calm", "brief"])] },
                    shows: { $0.subscriptionTier == .pro && $0.personalityTraits == ["calm", "brief"] },
                    isUser: true
                )
            )
        }
    }

    @Test func `a voice lives through all calls`() async throws {
        try await withDirectory { fixture in
            try await live(
                Subject(
                    repository: try await fixture.register().voiceModels,
                    draft: { VoiceModel.Draft(provider: .xtts, modelPath: "voices/\($0)", qualityScore: 0.25) },
                    change: { [$0.qualityScore.set(nil), $0.provider.set(.openAI)] },
                    shows: { $0.qualityScore == nil && $0.provider == .openAI && $0.modelPath.hasPrefix("voices/") },
                    isUser: false
                )
            )
        }
    }

    @Test func `a face lives through all calls`() async throws {
        try await withDirectory { fixture in
            try await live(
                Subject(
                    repository: try await fixture.register().faceModels,
                    draft: { FaceModel.Draft(modelPath: "faces/\($0)", width: 640, height: 480) },
                    change: { [$0.width.set(1_920), $0.height.set(1_080), $0.qualityScore.set(1)] },
                    shows: { $0.width == 1_920 && $0.height == 1_080 && $0.qualityScore == 1 && !$0.isActive },
                    isUser: false
                )
            )
        }
    }

    @Test func `a document lives through all calls`() async throws {
        try await withDirectory { fixture in
            try await live(
                Subject(
                    repository: try await fixture.register().documents,
                    draft: { KnowledgeDocument.Draft(filename: "\($0).txt", textContent: "some text") },
                    change: { [$0.chunkCount.set(2), $0.vectorIDs.set(["a", "b"])] },
                    shows: { $0.chunkCount == 2 && $0.vectorIDs == ["a", "b"] && $0.textContent == "some text" },
                    isUser: false
                )
            )
        }
    }

    @Test func `what was stored is what was given`() async throws {
        try await withDirectory { fixture in
            let user = StreamID.generate(at: .now())
            let people = fixture.directory.acting(for: user)
            let before = Timestamp.now()
            var draft = User.Draft(email: "Zoë.O'Hara@Example.org", personalityTraits: ["{\"a\",\\}", "", "ü"])
            draft.subscriptionTier = .enterprise
            draft.settings = try JSONValue(json: Array(#"{"voice":{"speed":1.25},"quiet":true}"#.utf8))
            let stored = try await people.users.create(draft)
            #expect(stored.stream == user)
            #expect(stored.email == draft.email && stored.personalityTraits == draft.personalityTraits)
            #expect(stored.settings["voice"]?["speed"]?.number == "1.25" && stored.settings["quiet"]?.bool == true)
            // Each default reads the clock.
            #expect(stored.createdAt > before.advanced(by: .seconds(-5)) && stored.updatedAt >= stored.createdAt)
            #expect(try await people.users.find(stored.id) == stored)
            let changed = try await people.users.update(stored.id, version: 1) { [$0.settings.set(.object([]))] }
            #expect(changed.email == draft.email && changed.settings == .object([]))
            #expect(changed.updatedAt > stored.updatedAt && changed.createdAt == stored.createdAt)
        }
    }

    @Test func `one voice at most is in use`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let one = try await user.voiceModels.create(.init(provider: .xtts, modelPath: "1", isActive: true))
            let conflict = await expect(.conflict) {
                try await user.voiceModels.create(.init(provider: .xtts, modelPath: "2", isActive: true))
            }
            #expect(conflict?.constraint == "voice_models_active_key")
            let two = try await user.voiceModels.create(.init(provider: .google, modelPath: "2"))
            #expect(try await user.activate(voiceModel: two.id, version: 1).isActive)
            #expect(try await user.voiceModels.find(one.id)?.isActive == false)
            #expect(try await user.voiceModels.count(Query(where: { $0.isActive == true })) == 1)
            // A voice that was deleted is not in use, and is not again when it is restored.
            #expect(try await !user.voiceModels.delete(two.id).isActive)
            #expect(try await !user.voiceModels.restore(two.id).isActive)
            await expect(.stale) { try await user.activate(voiceModel: two.id, version: 1) }
            #expect(try await user.activate(voiceModel: one.id, version: 2).isActive)
            let face = try await user.faceModels.create(.init(modelPath: "f", width: 1, height: 1))
            #expect(try await user.activate(faceModel: face.id, version: 1).isActive)
        }
    }

    @Test func `documents go their legal ways only`() async throws {
        try await withDirectory { fixture in
            let documents = try await fixture.register().documents
            // How to come to each status.
            let ways: [KnowledgeDocument.Status: [KnowledgeDocument.Status]] = [
                .pending: [], .processing: [.processing], .completed: [.processing, .completed], .failed: [.failed],
            ]
            for (from, way) in ways {
                for to in KnowledgeDocument.Status.allCases {
                    var document = try await documents.create(.init(filename: "a", textContent: "b"))
                    for step in way {
                        document = try await documents.update(document.id, version: document.version) {
                            [$0.status.set(step)]
                        }
                    }
                    #expect(document.status == from)
                    let version = document.version
                    if from.canBecome(to) {
                        document = try await documents.update(document.id, version: version) { [$0.status.set(to)] }
                        #expect(document.status == to)
                    } else {
                        let error = await expect(.invalid) {
                            try await documents.update(document.id, version: version) { [$0.status.set(to)] }
                        }
                        #expect(error?.message == "a document that is \(from) does not become \(to)")
                    }
                }
            }
        }
    }

    @Test func `a user who still has models or documents is not removed for good`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let document = try await user.documents.create(.init(filename: "a", textContent: "b"))
            await expect(.inUse) { try await user.users.hardDelete(EntityID(user.user.uuid)) }
            try await user.documents.hardDelete(document.id)
            try await user.users.hardDelete(EntityID(user.user.uuid))
            await expect(.invalid) { try await user.documents.create(.init(filename: "a", textContent: "b")) }
        }
    }
}
