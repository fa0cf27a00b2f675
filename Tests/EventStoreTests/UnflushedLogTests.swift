import EventModel
import EventStore
import Foundation
import Postgres
import RecorderTesting
import Testing

/// What an open transaction has written is not on disk, and the server is in no hurry to write it.
@Suite struct UnflushedLogTests {
    private static let servants = "select pid from pg_stat_activity where backend_type <> 'client backend'"
    private static let isBehind = "select pg_current_wal_flush_lsn() < pg_current_wal_insert_lsn()"

    @Test(.timeLimit(.minutes(2)))
    func `who keeps a cursor outside does not wait for an open transaction`() async throws {
        try await withCrashingServer { configuration, _ in
            let other = try await PostgresConnection.connect(configuration)
            try await other.run(unsafeSQL: "create table public.unrelated (words text)")
            try await withStore(configuration) { store in
                let appends = try (0..<3).map { _ in try Append.of(to: .fresh()) }
                _ = try await store.withAppender { try await $0.append(independently: appends) }
                // Nobody but who commits writes to disk from here on.
                let pids = try await other.text(unsafeSQL: Self.servants).compactMap { $0[0].flatMap { Int32($0) } }
                #expect(pids.count >= 3)
                for pid in pids { kill(pid, SIGSTOP) }
                defer { for pid in pids { kill(pid, SIGCONT) } }
                try await other.run(unsafeSQL: "begin; insert into public.unrelated values ('one')")
                #expect(try await other.text(unsafeSQL: Self.isBehind) == [["t"]])
                let head = try await store.head()
                #expect(try await store.readLog(after: head).isEmpty)
                // Part of what is there: the cursor names a snapshot that must be on disk.
                try await other.run(unsafeSQL: "insert into public.unrelated values ('two')")
                #expect(try await other.text(unsafeSQL: Self.isBehind) == [["t"]])
                #expect(try await store.readLog(limit: 2).events.count == 2)
            }
            await other.close()
        }
    }
}
