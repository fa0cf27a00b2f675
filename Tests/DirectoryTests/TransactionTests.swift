import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import Directory

/// Several repositories in one transaction, and what they lose against others.
@Suite struct TransactionTests {
    @Test func `all take effect or none, with their events`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            struct Enough: Error {}
            await #expect(throws: Enough.self) {
                try await user.transaction { unit in
                    let voice = try await unit.voiceModels.create(.init(provider: .xtts, modelPath: "v"))
                    #expect(try await unit.voiceModels.find(voice.id) != nil)
                    try await unit.documents.create(.init(filename: "a", textContent: "b"))
                    throw Enough()
                }
            }
            #expect(try await user.voiceModels.count() == 0)
            #expect(try await fixture.text("select count(*) from events") == [["1"]])
            let (voice, document) = try await user.transaction { unit in
                let voice = try await unit.voiceModels.create(.init(provider: .xtts, modelPath: "v"))
                // A transaction in it is the same one.
                let document = try await unit.transaction { inner in
                    try await inner.documents.create(.init(filename: "a", textContent: "b"))
                }
                try await unit.voiceModels.update(voice.id, version: 1) { [$0.qualityScore.set(0.5)] }
                return (voice, document)
            }
            #expect(try await user.voiceModels.find(voice.id)?.version == 2)
            #expect(try await user.documents.find(document.id) != nil)
            let types = try await fixture.text(
                "select name from events join event_types on id = type order by position"
            )
            #expect(
                types == [["user.registered"], ["voice_model.created"], ["document.created"], ["voice_model.updated"]]
            )
            #expect(try await fixture.text("select count(distinct transaction_id) from events") == [["2"]])
        }
    }

    @Test func `an error that the body catches does not commit the rest`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            await #expect(throws: (any Error).self) {
                try await user.transaction { unit in
                    try await unit.documents.create(.init(filename: "a", textContent: "b"))
                    _ = try? await unit.documents.create(.init(filename: "", textContent: "b"))
                }
            }
            #expect(try await user.documents.count() == 0)
        }
    }

    @Test func `of writers that saw the same version one wins, and the others are told`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let document = try await user.documents.create(.init(filename: "a", textContent: "b"))
            let outcomes = await withTaskGroup(of: DirectoryError.Code?.self) { group in
                for writer in 0..<64 {
                    group.addTask {
                        do {
                            try await user.documents.update(document.id, version: 1) { [$0.chunkCount.set(writer)] }
                            return nil
                        } catch {
                            return (error as? DirectoryError)?.code ?? .failed
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == nil } == 1)
            #expect(outcomes.count { $0 == .stale } == 63)
            #expect(try await user.documents.find(document.id)?.version == 2)
        }
    }

    @Test func `no increment is lost when each reads again`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let document = try await user.documents.create(.init(filename: "a", textContent: "b"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        while true {
                            guard let read = try await user.documents.find(document.id) else { return }
                            do {
                                try await user.documents.update(read.id, version: read.version) {
                                    [$0.chunkCount.set(read.chunkCount + 1)]
                                }
                                return
                            } catch let error as DirectoryError where error.code == .stale { continue }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let last = try await user.documents.find(document.id)
            #expect(last?.chunkCount == 16 && last?.version == 17)
        }
    }

    @Test func `transactions that meet in a ring both end`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let both = try await user.documents.createMany([
                .init(filename: "a", textContent: "1"), .init(filename: "b", textContent: "2"),
            ])
            let order = [both.map(\.id), both.map(\.id).reversed()]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for turn in 0..<16 {
                    group.addTask {
                        try await user.transaction { unit in
                            for id in order[turn % 2] {
                                let query = Query<KnowledgeDocument>(where: { $0.id == id })
                                try await unit.documents.updateMany(query) { [$0.filename.set("\(turn)")] }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await user.documents.findMany().items.map(\.version) == [17, 17])
        }
    }
}
