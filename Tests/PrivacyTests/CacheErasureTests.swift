import Cache
import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import Privacy

/// What services cache of a person while he is erased, and afterwards.
@Suite struct CacheErasureTests {
    private static func storing(_ user: StreamID, _ word: String, in table: String) -> String {
        let columns = [
            "llm_response_cache": ("model, response", "'m', '\(word)'"),
            "vector_search_cache": (
                "document_ids, chunks, scores, texts",
                "array[gen_random_uuid()], array[1], array[1.0], array['\(word)']"
            ),
        ]
        let (names, values) = columns[table] ?? ("", "")
        return """
            set local role recorder_service; set local recorder.user_id = '\(user)';
            insert into \(table) (user_id, key, \(names), generation, expires_at)
            values ('\(user)', sha256('\(word)'), \(values), 0, now() + interval '1 day')
            """
    }

    @Test(arguments: ["llm_response_cache", "vector_search_cache"])
    func `what is being stored is waited for and goes, and what comes later is refused`(table: String) async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            for person in [ada, ben] { try await world.live(person) }
            try await withConnection(world.database) { service in
                try await service.run(unsafeSQL: "begin; \(Self.storing(ada.id, "adasuitcase", in: table))")
                async let certificate = world.erase(ada)
                try await world.waitForBlocked()
                try await service.run(unsafeSQL: "commit")
                let done = try JSONValue(json: Array(try await certificate.json.utf8))["done"]
                // With the answer from before; the search from before went with its document.
                #expect(done?["cache_rows"]?.integer == 2)
                #expect(try await !world.shown().contains("adasuitcase"))

                let error = await #expect(throws: PostgresError.self) {
                    try await service.run(unsafeSQL: "begin; \(Self.storing(ada.id, "adalate", in: table))")
                }
                #expect(error?.sqlState == "RC007")
                try await service.run(unsafeSQL: "rollback")
                try await service.run(unsafeSQL: "begin; \(Self.storing(ben.id, "benlate", in: table)); commit")
                #expect(try await world.shown().contains("benlate"))
            }
        }
    }

    @Test func `who asks for an erased person's answers gets them, and nothing of them is kept in the table`()
        async throws
    {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            _ = try await world.erase(ada)
            let caches = try Caches(world.database, logger: TestServer.silent)
            let prompt = LLMPrompt(user: ada.id.uuid, model: "m", text: "what is in my suitcase?")
            for answer in ["adasocks", "adashoes"] {
                let found = try await caches.response(to: prompt) { LLMResponse(text: answer) }
                #expect(found.text == answer)
            }
            #expect(try await world.text("select count(*) from llm_response_cache") == [["0"]])
            await caches.close()
        }
    }
}
