import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Synchronization
import Testing

@testable import EventStore

/// What becomes of keys, and what does not.
@Suite struct KeyAdministrationTests {
    @Test func `rotation wraps every key anew and touches no event`() async throws {
        try await SealedLog.withSealedStore { store, configuration, keys in
            let sessions = try (0..<5).map { _ in try SealedLog.session(.fresh(), of: .random()) }
            _ = try await store.withAppender { try await $0.append(independently: sessions) }
            let log = try await SealedLog.text("select md5(payload) from events order by position", on: configuration)
            let next = LocalKeyEncryptionKey()
            try await SealedLog.withPool(configuration) { pool in
                let refusal = await failure { try await KeyAdministration(pool, keys: SealingKeys([next])).rotate() }
                #expect(refusal?.code == .keyUnavailable)
                let both = SealingKeys([next] + keys.keys)
                let first = try await KeyAdministration(pool, keys: both).rotate()
                let second = try await KeyAdministration(pool, keys: both).rotate()
                #expect(first == 5 && second == 0)
                let status = try await KeyAdministration(pool, keys: SealingKeys([next])).status()
                #expect(status.map(\.encryptionKey) == [next.identifier])
                #expect(status.map(\.live) == [5])
            }
            try await withStore(configuration, keys: SealingKeys([next])) { store in
                for session in sessions {
                    #expect(try await store.read(session.stream).map(\.data) == session.events.map(\.data))
                }
                _ = try await store.withAppender { try await $0.append(try SealedLog.session(.fresh(), of: .random())) }
            }
            let after = try await SealedLog.text(
                "select md5(payload) from events order by position limit \(log.count)",
                on: configuration
            )
            #expect(after == log)
        }
    }

    @Test func `a writer and a reader whose keys come from a file go on after a rotation`() async throws {
        let (old, new) = (LocalKeyEncryptionKey(), LocalKeyEncryptionKey())
        let text = Mutex(old.base64)
        let keys = try SealingKeys(from: "the key file /its/path") { text.withLock { $0 } }
        try await withTestDatabase { configuration in
            try await SealedLog.withPool(configuration) { pool in
                _ = try await KeyAdministration(pool, keys: keys).initialise()
                try await withStore(configuration, keys: keys) { store in
                    let sessions = try (0..<3).map { _ in try SealedLog.session(.fresh(), of: .random()) }
                    try await store.withAppender { appender in
                        _ = try await appender.append(sessions[0])
                        text.withLock { $0 = "\(new.base64)\n\(old.base64)\n" }
                        try await KeyAdministration(pool, keys: SealingKeys([new, old])).rotate()
                        _ = try await appender.append(sessions[1])
                    }
                    for session in sessions.dropLast() {
                        #expect(try await store.read(session.stream).map(\.data) == session.events.map(\.data))
                    }
                    // The next key is not put there.
                    let next = LocalKeyEncryptionKey()
                    try await KeyAdministration(pool, keys: SealingKeys([next, new])).rotate()
                    let error = await failure { try await store.withAppender { try await $0.append(sessions[2]) } }
                    #expect(error?.code == .keyUnavailable)
                    #expect(
                        error?.message.contains("\(next.identifier), which is not in the key file /its/path") == true
                    )
                }
            }
        }
    }

    @Test func `a key file that is read while it is written takes no key away`() throws {
        let key = LocalKeyEncryptionKey()
        for written in ["", "half a li"] {
            let text = Mutex(key.base64)
            let keys = try SealingKeys(from: "a file") { text.withLock { $0 } }
            text.withLock { $0 = written }
            #expect(keys["local:another"] == nil)
            #expect(keys[key.identifier] != nil)
        }
    }

    @Test func `keys cannot be taken away from under the frames, nor come back`() async throws {
        try await SealedLog.withSealedStore { store, configuration, _ in
            _ = try await store.withAppender { try await $0.append(try SealedLog.session(.fresh(), of: .random())) }
            for statement in [
                "delete from subject_keys", "truncate subject_keys",
                "update subject_keys set subject_id = gen_random_uuid()",
                "\(SealedLog.destruction); update subject_keys set wrapped_key = 'x', destroyed_at = null",
            ] {
                let error = await #expect(throws: PostgresError.self) {
                    try await SealedLog.run(statement, on: configuration)
                }
                #expect(error?.sqlState == "RC003", "\(statement)")
            }
        }
    }

    @Test func `a key file names the line that holds no key, and never what stands there`() throws {
        let key = LocalKeyEncryptionKey()
        let keys = try SealingKeys(text: "# keys\n\n\(key.base64)  # first\n")
        #expect(keys.keys.map(\.identifier) == [key.identifier])
        let error = #expect(throws: EventStoreError.self) { try SealingKeys(text: "\(key.base64)\nhunter2\n") }
        #expect(error?.message.contains("line 2") == true)
        #expect(error?.message.contains("hunter2") == false)
    }
}
