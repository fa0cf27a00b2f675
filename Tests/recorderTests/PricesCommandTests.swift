import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder prices`: what calls cost whose events do not say.
@Suite struct PricesCommandTests {
    @Test func `prices are loaded once, and a bad file is named`() async throws {
        try await withTestDatabase { database in
            let prices = #"{"models": {"m": {"input": "0.0000000000012345678901234567890123456789", "output": 1e-7}}}"#
            func load(_ text: String) async throws -> RecorderCommand.Result {
                try await RecorderCommand.run("prices", "load", "-", "--json", databaseURL: database.url, input: text)
            }
            #expect(try await load(prices).json().first?["changed"]?.integer == 2)
            #expect(try await load(prices).json().first?["changed"]?.integer == 0)
            let listed = try await RecorderCommand.run("prices", "list", "--json", databaseURL: database.url).json()
            #expect(
                listed.map { $0["usdPerToken"]?.string }
                    == ["0.0000000000012345678901234567890123456789", "0.0000001"]
            )
            for bad in [
                "{", "{}", #"{"models": {"m": {"inputs": 1}}}"#, #"{"models": {"m": {"input": "free"}}}"#,
                #"{"models": {"m": {"input": "1e400"}}}"#, #"{"models": {"m": {"input": 1, "input": 2}}}"#,
                #"{"models": {"m": {"input": 1}, "m": {"input": 2}}}"#,
                #"{"currency": "EUR", "models": {"m": {"input": 1}}}"#,
            ] {
                let result = try await load(bad)
                #expect(result.status == 1)
                #expect(!result.errors.isEmpty)
            }
            let nameless = try await load(#"{"models": {"": {"input": 1}}}"#)
            #expect(nameless.status == 1 && nameless.errors.contains("name of a model is empty"), "\(nameless.errors)")
        }
    }

    @Test func `costs by day name days of the year 0 as events do`() async throws {
        try await withTestDatabase { database in
            let event =
                #"{"stream":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","type":"turn.generated","#
                + #""occurredAt":"0000-02-29T12:00:00Z","data":{"llmCost":"0.25"}}"#
            let appended = try await RecorderCommand.run("append", databaseURL: database.url, input: event + "\n")
            #expect(appended.status == 0, "\(appended.errors)")
            _ = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            let costs = ["costs", "--by", "day", "--until", "0001-01-01", "--json"]
            let days = try await RecorderCommand.run(costs, databaseURL: database.url).json()
            #expect(days.map { $0["day"]?.string } == ["0000-02-29"])
        }
    }

    @Test func `whoever loads prices is told what becomes of costs`() async throws {
        try await withTestDatabase { database in
            let file = #"{"models": {"m": {"input": "0.001"}}}"#
            for isNew in [true, false] {
                let loaded = try await RecorderCommand.run(
                    "prices",
                    "load",
                    "-",
                    databaseURL: database.url,
                    input: file
                )
                #expect(
                    loaded.status == 0 && loaded.output.contains("projected before stay") == isNew,
                    "\(loaded.output)"
                )
            }
        }
    }
}
