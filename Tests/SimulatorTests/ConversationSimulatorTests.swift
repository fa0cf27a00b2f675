import EventModel
import Simulator
import Testing

@Suite struct ConversationSimulatorTests {
    static let start = Timestamp(microseconds: 1_772_438_400_000_000)

    static func sessions(_ count: Int, seed: UInt64 = 1) -> [SimulatedSession] {
        var simulator = ConversationSimulator(seed: seed, startingAt: start)
        return (0..<count).map { _ in simulator.nextSession() }
    }

    static func bytes(_ sessions: [SimulatedSession]) -> [UInt8] {
        sessions.reduce(into: []) { bytes, session in
            for event in session.events { event.appendJSON(to: &bytes) }
        }
    }

    @Test func `the same seed gives the same bytes, another seed others`() {
        let first = Self.bytes(Self.sessions(20))
        #expect(first == Self.bytes(Self.sessions(20)))
        #expect(first != Self.bytes(Self.sessions(20, seed: 2)))
    }

    @Test func `the first bytes of seed 1 are the same on every machine`() {
        // FNV-1a of forty sessions, worked out once.
        let hash = Self.bytes(Self.sessions(40)).reduce(UInt64(0xCBF2_9CE4_8422_2325)) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        #expect(hash == 3_650_450_444_261_119_122)
    }

    @Test func `every event is a line that the contract takes`() throws {
        for session in Self.sessions(80) {
            for event in session.events {
                let back = try EventLine(event.json)
                #expect(back == event)
                #expect(event.stream == session.session || event.stream == session.user)
            }
        }
    }

    @Test func `data holds no member that the contract does not give to its type`() throws {
        var types: Set<EventType> = []
        for event in Self.sessions(80).flatMap(\.events).map(\.event) {
            guard let fields = event.type.fields else { continue }
            types.insert(event.type)
            guard case .object(let members) = try JSONValue(json: event.data) else {
                Issue.record("the data of \(event.type) is no object")
                continue
            }
            #expect(Set(members.map(\.name)).subtracting(fields) == [], "\(event.type)")
        }
        #expect(types == Set(EventType.frequent.filter { $0.fields != nil }))
    }

    @Test func `appends hold every event once, each stream in the order of time`() {
        for session in Self.sessions(100) {
            let appends = session.appends
            #expect(appends.map(\.events.count).reduce(0, +) == session.events.count)
            #expect(appends.last?.stream == session.session)
            for append in appends {
                let times = append.events.compactMap(\.occurredAt)
                #expect(times.count == append.events.count)
                #expect(times == times.sorted())
                #expect(Set(append.events.map(\.id)).count == append.events.count)
            }
        }
    }

    @Test func `state follows the table from idle`() throws {
        var visited: Set<String> = []
        for session in Self.sessions(80) {
            var machine = SessionStateMachine()
            for event in session.events where event.event.type == .sessionStateChanged {
                let data = try JSONValue(json: event.event.data)
                let from = try #require(SessionState(rawValue: data["from"]?.string ?? ""))
                let to = try #require(SessionState(rawValue: data["to"]?.string ?? ""))
                machine.record(from: from, to: to)
                visited.insert("\(from) \(to)")
            }
            #expect(machine.anomalies == 0)
        }
        #expect(visited.count >= 12)
    }

    @Test func `turns are counted from 1 and what belongs to a turn names it`() throws {
        for session in Self.sessions(50) {
            var turn = ""
            var index = 0
            for event in session.events where event.event.type.name.hasPrefix("turn.") {
                let data = try JSONValue(json: event.event.data)
                if event.event.type == .turnStarted {
                    index += 1
                    #expect(data["turnIndex"]?.integer == index)
                    turn = data["turnId"]?.string ?? ""
                    #expect(StreamID(turn) != nil)
                }
                #expect(data["turnId"]?.string == turn)
            }
        }
    }

    @Test func `sessions have the size and the variety of real ones`() throws {
        let sessions = Self.sessions(250)
        let counts = sessions.map { session in session.events.count { $0.stream == session.session } }.sorted()
        #expect((60...150).contains(counts[12]) && (60...150).contains(counts[238]))

        let events = sessions.flatMap(\.events).map(\.event)
        let mean = events.reduce(0) { $0 + $1.data.count } / events.count
        #expect((110...200).contains(mean))
        let payload = events.reduce(0) { $0 + $1.data.count + $1.metadata.count } / events.count
        #expect((200...350).contains(payload))

        func share(_ type: EventType, of other: EventType) -> Double {
            Double(events.count { $0.type == type }) / Double(events.count { $0.type == other })
        }
        #expect((0.04...0.2).contains(share(.turnInterrupted, of: .turnStarted)))
        #expect((0.02...0.15).contains(share(.turnFailed, of: .turnStarted)))
        #expect((1.1...1.6).contains(share(.turnGenerated, of: .turnStarted)))
        #expect((0.9...0.99).contains(share(.sessionEnded, of: .sessionStarted)))
        #expect(events.contains { $0.type == .userRegistered } && events.contains { $0.type == .userLoggedIn })

        let data = try events.filter { $0.type == .turnTranscribed }.map { try JSONValue(json: $0.data) }
        let texts = Set(data.compactMap { $0["userTranscript"]?.string })
        #expect(texts.count > 600)
        #expect(data.contains { $0["alternatives"] != nil } && data.contains { $0["asrLatencyMs"] == nil })
    }

    @Test func `costs are given, left to be computed, or unknown`() throws {
        var given = 0, priced = 0, unknown = 0, cached = 0
        for event in Self.sessions(80).flatMap(\.events) where event.event.type == .turnGenerated {
            let data = try JSONValue(json: event.event.data)
            if data["llmCost"] != nil {
                given += 1
            } else if data["model"]?.string?.hasPrefix("claude-") == true {
                priced += 1
            } else {
                unknown += 1
            }
            if let tokens = data["cachedInputTokens"]?.integer {
                cached += 1
                #expect(tokens <= data["inputTokens"]?.integer ?? 0)
            }
        }
        #expect(min(given, priced, unknown, cached) > 20)
    }

    @Test func `latencies have a long tail`() throws {
        let latencies = try Self.sessions(150).flatMap(\.events).filter { $0.event.type == .turnGenerated }
            .compactMap { try JSONValue(json: $0.event.data)["llmLatencyMs"]?.double }.sorted()
        let median = latencies[latencies.count / 2]
        #expect((400...1000).contains(median))
        #expect(latencies[latencies.count * 99 / 100] > 3 * median)
        #expect(latencies.allSatisfy { $0 > 0 && $0 <= 60_000 })
    }
}
