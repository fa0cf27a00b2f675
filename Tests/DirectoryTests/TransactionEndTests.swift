import EventModel
import RecorderTesting
import Synchronization
import Testing

@testable import Directory

/// What a transaction refuses behind its end, and what is left of one in which a call failed.
@Suite struct TransactionEndTests {
    private struct Enough: Error {}

    @Test func `repositories of a transaction that is over read and change nobody's data`() async throws {
        try await withDirectory(connections: 1) { fixture in
            let ada = try await fixture.register("ada")
            let bob = try await fixture.register("bob")
            try await bob.documents.create(.init(filename: "bob's", textContent: "b"))
            let kept = try await ada.transaction { $0 }
            let old = Kept()
            await #expect(throws: Enough.self) {
                try await ada.transaction { unit in
                    old.repositories.withLock { $0 = unit }
                    throw Enough()
                }
            }
            for late in [kept, try #require(old.repositories.withLock { $0 })] {
                try await bob.transaction { unit in
                    let document = try #require(try await unit.documents.findMany().items.first)
                    await expect(.transactionOver) { try await late.documents.findMany() }
                    await expect(.transactionOver) { try await late.documents.find(document.id) }
                    await expect(.transactionOver) { try await late.documents.count() }
                    await expect(.transactionOver) { try await late.documents.exists(Query()) }
                    await expect(.transactionOver) { try await late.users.findMany(Query(), with: .documents, Query()) }
                    await expect(.transactionOver) { try await late.searchDocuments("b") }
                    await expect(.transactionOver) {
                        try await late.documents.create(.init(filename: "a", textContent: "b"))
                    }
                    await expect(.transactionOver) {
                        try await late.documents.update(document.id, version: 1) { [$0.filename.set("ada's")] }
                    }
                    await expect(.transactionOver) {
                        try await late.documents.updateMany(Query()) { [$0.filename.set("ada's")] }
                    }
                    await expect(.transactionOver) { try await late.documents.delete(document.id) }
                    await expect(.transactionOver) { try await late.documents.hardDelete(document.id) }
                    await expect(.transactionOver) { try await late.transaction { _ in } }
                }
            }
            #expect(try await bob.documents.findMany().items.map(\.filename) == ["bob's"])
        }
    }

    @Test func `a call that is under way when the body ends undoes the transaction, and goes no further`() async throws
    {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let (begun, hasBegun) = AsyncStream.makeStream(of: Void.self)
            let (ended, hasEnded) = AsyncStream.makeStream(of: Void.self)
            let late = Kept()
            let error = await expect(.transactionOver) {
                try await user.transaction { unit in
                    try await unit.documents.create(.init(filename: "a", textContent: "b"))
                    let call = Task {
                        try await unit.transaction { inner in
                            hasBegun.finish()
                            for await _ in ended {}
                            try await inner.documents.create(.init(filename: "late", textContent: "b"))
                        }
                    }
                    late.call.withLock { $0 = call }
                    for await _ in begun {}
                }
            }
            #expect(error?.message.contains("wait in the body for every call") == true)
            hasEnded.finish()
            await expect(.transactionOver) { try await late.call.withLock { $0 }?.value }
            #expect(try await user.documents.count() == 0)
        }
    }

    @Test func `an error inside, also one that is caught, undoes all, and is the one that is thrown`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let document = try await user.documents.create(.init(filename: "a", textContent: "b"))
            await #expect(throws: Enough.self) {
                try await user.transaction { unit in
                    try? await unit.transaction { inner in
                        try await inner.documents.create(.init(filename: "inner", textContent: "b"))
                        throw Enough()
                    }
                }
            }
            await expect(.stale) {
                try await user.transaction { unit in
                    try await unit.documents.create(.init(filename: "c", textContent: "b"))
                    _ = try? await unit.documents.update(document.id, version: 7) { [$0.chunkCount.set(1)] }
                }
            }
            let first = await expect(.invalid) {
                try await user.transaction { unit in
                    _ = try? await unit.documents.create(.init(filename: "", textContent: "b"))
                    // The later call does not speak of a transaction that is aborted.
                    _ = try await unit.documents.count()
                }
            }
            #expect(first?.constraint != nil)
            await expect(.invalid, "an error of arguments") {
                try await user.transaction { unit in
                    try await unit.documents.create(.init(filename: "d", textContent: "b"))
                    _ = try? await unit.documents.update(document.id, version: 1) { _ in [] }
                }
            }
            await expect(.notFound) {
                try await user.transaction { unit in
                    try await unit.documents.create(.init(filename: "e", textContent: "b"))
                    try? await unit.documents.hardDelete(.generate())
                }
            }
            #expect(try await user.documents.findMany().items.map(\.filename) == ["a"])
        }
    }
}

/// Access that was refused in a transaction, and is recorded behind it.
@Suite struct RefusedAccessTests {
    private struct Enough: Error {}

    @Test func `what cannot be recorded of it changes nothing of what the transaction has come to`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            try await fixture.run(
                """
                create function refuse_denials() returns trigger language plpgsql as $$
                begin
                    if new.type = (select id from recorder.event_types where name = 'access.denied') then
                        raise exception 'no room for it';
                    end if;
                    return new;
                end
                $$;
                create trigger refuse_denials before insert on events for each row execute function refuse_denials()
                """
            )
            try await user.transaction { unit in
                try await unit.documents.create(.init(filename: "a", textContent: "b"))
                #expect(try await unit.documents.find(.generate()) == nil)
            }
            #expect(try await user.documents.findMany().items.map(\.filename) == ["a"])
            await expect(.notFound) { try await user.transaction { try await $0.documents.hardDelete(.generate()) } }
        }
    }

    @Test func `it is recorded also of a task that was cancelled, whose own error is thrown`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let task = Task {
                try await user.transaction { unit in
                    _ = try await unit.documents.find(.generate())
                    unsafe withUnsafeCurrentTask { task in unsafe task?.cancel() }
                    throw Enough()
                }
            }
            await #expect(throws: Enough.self) { try await task.value }
            let denied = try await fixture.text(
                "select count(*) from events e join event_types t on t.id = e.type where t.name = 'access.denied'"
            )
            #expect(denied == [["1"]])
        }
    }
}

/// What leaves a transaction's body.
private final class Kept: Sendable {
    let repositories = Mutex<Repositories?>(nil)
    let call = Mutex<Task<Void, any Error>?>(nil)
}
