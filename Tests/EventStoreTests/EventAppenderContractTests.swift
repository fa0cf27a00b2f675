import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// What events.md promises of an append: expected versions, idempotence, all or nothing.
@Suite struct EventAppenderContractTests {
    @Test func `an append gets versions without gaps and is read back as it was sent`() async throws {
        try await withStore { store, _ in
            let stream = StreamID.fresh()
            let ids = (0..<3).map { _ in EventID.fresh() }
            let receipt = try await store.withAppender { try await $0.append(.of(ids, to: stream)) }
            #expect(receipt.firstVersion == 1)
            #expect(receipt.versions == 1...3)
            #expect(!receipt.wasStoredBefore)
            #expect(receipt.positions == receipt.positions.sorted())
            let events = try await store.read(stream)
            #expect(events.map(\.id) == ids)
            #expect(events.map(\.version) == [1, 2, 3])
            #expect(events.map(\.position) == receipt.positions)
            #expect(events.allSatisfy { $0.type == .turnStarted && $0.stream == stream })
            #expect(events.allSatisfy { String(decoding: $0.data, as: UTF8.self) == #"{"turnId":"t"}"# })
            #expect(events.allSatisfy { String(decoding: $0.metadata, as: UTF8.self) == "{}" })
        }
    }

    @Test(
        arguments: [
            (0, ExpectedVersion.any, true), (0, .noStream, true), (0, .exists, false), (0, .exactly(0), true),
            (0, .exactly(1), false), (2, .any, true), (2, .noStream, false), (2, .exists, true), (2, .exactly(2), true),
            (2, .exactly(0), false), (2, .exactly(1), false), (2, .exactly(3), false),
        ]
    )
    func `an append succeeds only when the stream is as expected`(
        held: Int,
        expected: ExpectedVersion,
        succeeds: Bool
    ) async throws {
        try await withStore { store, _ in
            let stream = StreamID.fresh()
            if held > 0 {
                let ids = (0..<held).map { _ in EventID.fresh() }
                _ = try await store.withAppender { try await $0.append(.of(ids, to: stream)) }
            }
            // A new appender: it must look, it remembers nothing.
            let error = await failure {
                try await store.withAppender { try await $0.append(.of(to: stream, expecting: expected)) }
            }
            #expect((error == nil) == succeeds)
            if !succeeds {
                #expect(error?.code == .wrongExpectedVersion)
                #expect(error?.expected == expected)
                #expect(error?.found == held)
                #expect(error?.stream == stream)
            }
            #expect(try await store.read(stream).count == held + (succeeds ? 1 : 0))
        }
    }

    @Test func `a refusal is right although others appended behind the appender's back`() async throws {
        try await withStore { store, _ in
            let stream = StreamID.fresh()
            try await store.withAppender { mine in
                _ = try await mine.append(.of(to: stream, expecting: .noStream))
                try await store.withAppender { _ = try await $0.append(.of(to: stream, expecting: .exactly(1))) }
                let error = await failure { try await mine.append(.of(to: stream, expecting: .exactly(1))) }
                #expect(error?.found == 2)
                let receipt = try await mine.append(.of(to: stream, expecting: .exactly(2)))
                #expect(receipt.firstVersion == 3)
                try await store.withAppender { _ = try await $0.append(.of(to: stream)) }
                // What is known of the stream allows neither; what it holds allows both.
                #expect(try await mine.append(.of(to: stream, expecting: .exactly(4))).firstVersion == 5)
                let empty = StreamID.fresh()
                let refusal1 = await failure { try await mine.append(.of(to: empty, expecting: .exists)) }
                #expect(refusal1?.found == 0)
                try await store.withAppender { _ = try await $0.append(.of(to: empty)) }
                #expect(try await mine.append(.of(to: empty, expecting: .exists)).firstVersion == 2)
            }
        }
    }

    @Test(arguments: [ExpectedVersion.any, .noStream, .exists, .exactly(0), .exactly(2), .exactly(7)])
    func `an append repeated whole gives the first receipt, whatever it expects`(
        expected: ExpectedVersion
    ) async throws {
        try await withStore { store, _ in
            let stream = StreamID.fresh()
            let ids = (0..<2).map { _ in EventID.fresh() }
            let first = try await store.withAppender { appender in
                _ = try await appender.append(.of(to: stream))
                let first = try await appender.append(.of(ids, to: stream))
                _ = try await appender.append(.of(to: stream))
                let again = try await appender.append(.of(ids, to: stream, expecting: expected))
                #expect(again.versions == first.versions)
                #expect(again.positions == first.positions)
                #expect(again.wasStoredBefore)
                return first
            }
            // And after a restart.
            let again = try await store.withAppender { try await $0.append(.of(ids, to: stream, expecting: expected)) }
            #expect(again.versions == first.versions)
            #expect(again.positions == first.positions)
            #expect(again.wasStoredBefore)
            let part = try await store.withAppender { try await $0.append(.of([ids[1]], to: stream)) }
            #expect(part.versions == 3...3)
            #expect(try await store.read(stream).count == 4)
        }
    }

    @Test func `an append repeated in part, reordered or scattered is refused and stores nothing`() async throws {
        try await withStore { store, _ in
            let stream = StreamID.fresh()
            let (a, b, c, new) = (EventID.fresh(), EventID.fresh(), EventID.fresh(), EventID.fresh())
            try await store.withAppender { appender in
                _ = try await appender.append(.of([a, b, c], to: stream))
                for ids in [[a, new], [new, a], [b, a], [a, c], [c, b, a], [a, b, c, new]] {
                    for expected in [ExpectedVersion.any, .exactly(3), .exactly(0)] {
                        let error = await failure {
                            try await appender.append(.of(ids, to: stream, expecting: expected))
                        }
                        #expect(error?.code == .wrongExpectedVersion)
                        #expect(error?.message.contains("some of the append's event ids") == true)
                        #expect(error?.expected == expected)
                        #expect(error?.found == 3)
                    }
                }
            }
            #expect(try await store.read(stream).map(\.id) == [a, b, c])
        }
    }

    @Test func `the same id in another stream is another event`() async throws {
        try await withStore { store, _ in
            let (one, other) = (StreamID.fresh(), StreamID.fresh())
            let id = EventID.fresh()
            try await store.withAppender { appender in
                let first = try await appender.append(.of([id], to: one))
                let second = try await appender.append(.of([id], to: other, expecting: .noStream))
                #expect(!second.wasStoredBefore)
                #expect(first.positions != second.positions)
            }
            #expect(try await store.read(one).map(\.id) == [id])
            #expect(try await store.read(other).map(\.id) == [id])
        }
    }

    @Test func `an append without events, with an id twice or with a stream twice is refused`() async throws {
        try await withStore { store, _ in
            let stream = StreamID.fresh()
            let id = EventID.fresh()
            try await store.withAppender { appender in
                let refusal2 = await failure { try await appender.append(.of([], to: stream)) }
                #expect(refusal2?.code == .invalidAppend)
                let refusal3 = await failure { try await appender.append(.of([id, id], to: stream)) }
                #expect(refusal3?.code == .invalidAppend)
                let twice = try [Append.of(to: stream), Append.of(to: stream)]
                let refusal4 = await failure { try await appender.append(twice) }
                #expect(refusal4?.code == .invalidAppend)
                let none = try await appender.append([Append]())
                #expect(none.isEmpty)
            }
            #expect(try await store.read(stream).isEmpty)
        }
    }

    @Test func `an append to several streams stores all or nothing`() async throws {
        try await withStore { store, _ in
            let (one, other) = (StreamID.fresh(), StreamID.fresh())
            let ids = (0..<4).map { _ in EventID.fresh() }
            try await store.withAppender { appender in
                _ = try await appender.append(.of(to: one))
                let wrong = try [
                    Append.of([ids[0], ids[1]], to: one, expecting: .exactly(1)),
                    Append.of([ids[2]], to: other, expecting: .exists),
                ]
                let error = await failure { try await appender.append(wrong) }
                #expect(error?.code == .wrongExpectedVersion)
                #expect(error?.stream == other)
                #expect(error?.found == 0)
                #expect(try await store.read(one).count == 1)

                let right = try [
                    Append.of([ids[0], ids[1]], to: one, expecting: .exactly(1)),
                    Append.of([ids[2]], to: other, expecting: .noStream),
                ]
                let receipts = try await appender.append(right)
                #expect(receipts.map(\.versions) == [2...3, 1...1])
                let again = try await appender.append(right)
                #expect(again.map(\.positions) == receipts.map(\.positions))
                #expect(again.allSatisfy { $0.wasStoredBefore })

                // One stream has its part, the other has not.
                let mixed = try [Append.of([ids[2]], to: other), Append.of([ids[3]], to: one)]
                let partly = await failure { try await appender.append(mixed) }
                #expect(partly?.code == .wrongExpectedVersion)
                #expect(partly?.stream == other)
            }
            #expect(try await store.read(one).map(\.id).dropFirst() == [ids[0], ids[1]])
            #expect(try await store.read(other).map(\.id) == [ids[2]])
        }
    }

    @Test func `types that Unicode calls equal stay the types that were sent`() async throws {
        try await withStore { store, _ in
            let stream = StreamID.fresh()
            let names = ["caf\u{E9}.opened", "cafe\u{301}.opened"]
            let events = try names.map { try EventDraft(id: .fresh(), type: EventType($0)) }
            _ = try await store.withAppender { try await $0.append(Append(stream: stream, events: events)) }
            let read = try await store.read(stream).map { Array($0.type.name.utf8) }
            #expect(read == names.map { Array($0.utf8) })
        }
    }
}
