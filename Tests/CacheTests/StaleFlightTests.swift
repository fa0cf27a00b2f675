import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Cache

/// What is being computed while something becomes of what it is made of.
@Suite(.timeLimit(.minutes(5))) struct StaleFlightTests {
    @Test func `after catching up a process that cannot listen joins no search of before, and keeps no value`()
        async throws
    {
        try await withTestDatabase { configuration in
            try await watchDocuments(configuration)
            let caches = try Caches(configuration, options: .patient, logger: TestServer.logger)
            let (ann, gate, computed) = (UUID(), Gate(), Shared(0))
            _ = try await caches.embedding(of: "a", model: "m") { [1] }
            let slow = Task {
                try await caches.matches(of: .of(ann)) {
                    try await gate.pass()
                    return [.of("from old documents")]
                }
            }
            await gate.waitForArrival()
            try await sql(configuration, "insert into watched_documents values ('\(ann)', 'a')")
            try await caches.catchUp()
            #expect(caches.figures[0].entries == 0)
            let next = Task {
                try await caches.matches(of: .of(ann)) {
                    computed.add()
                    return [.of("from new documents")]
                }
            }
            try await eventually("the next search is computed, or joins the slow one") {
                computed.value > 0 || caches.figures[1].joined > 0
            }
            gate.open()
            #expect(try await slow.value.map(\.text) == ["from old documents"])
            #expect(try await next.value.map(\.text) == ["from new documents"])
            await caches.close()
        }
    }

    @Test func `a value whose generation was swept while it was computed does not take the place of the next`()
        async throws
    {
        try await withTestDatabase { configuration in
            // They do not run: the first sweep of one that does would come at any time.
            let one = try Caches(configuration, options: .patient, logger: TestServer.logger)
            let other = try Caches(configuration, options: .patient, logger: TestServer.logger)
            let (ann, gate) = (UUID(), Gate())
            try await sql(
                configuration,
                """
                select clear_cache('llm_response'); select clear_cache('llm_response', '\(ann)');
                update cache_generations set changed_at = now() - interval '25 hours' where user_id = '\(ann)'
                """
            )
            let slow = Task {
                try await one.response(to: .of(ann)) {
                    try await gate.pass()
                    return LLMResponse(text: "slow")
                }
            }
            await gate.waitForArrival()
            _ = try await CacheAdministration(one.pool).sweep()
            #expect(try await sql(configuration, "select count(*) from cache_generations") == [["1"]])
            gate.open()
            #expect(try await slow.value.text == "slow")
            #expect(try await other.response(to: .of(ann)) { LLMResponse(text: "next") }.text == "next")
            #expect(try await sql(configuration, "select response from llm_response_cache") == [["next"]])
            for caches in [one, other] { await caches.close() }
        }
    }
}
