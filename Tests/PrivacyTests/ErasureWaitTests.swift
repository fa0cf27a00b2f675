import Postgres
import RecorderTesting
import Testing

@testable import Privacy

/// Whom an erasure waits for, and who does not wait for it.
@Suite struct ErasureWaitTests {
    @Test func `an erasure waits for a comparison, and no projection waits for it meanwhile`() async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            try await world.live(ada)
            try await world.project()
            // It gives up many times.
            try await world.run("alter function erase_keys(uuid) set lock_timeout = '100ms'")
            try await withConnection(world.database) { connection in
                // As the transaction that compares does, which has folded the rest before.
                try await connection.run(unsafeSQL: "begin; lock table projection_rebuilds in row exclusive mode")
                async let certificate = world.erase(ada)
                try await world.waitForBlocked()
                try await world.live(ben)
                try await world.project()
                #expect(try await world.shown().contains(ben.words[0]))
                #expect(try await world.text("select 1 from subject_keys where destroyed_at is not null").isEmpty)
                try await connection.run(unsafeSQL: "commit")
                _ = try await certificate
            }
            let shown = try await world.shown()
            for word in ada.words { #expect(!shown.contains(word), "\(word)") }
        }
    }

    @Test func `another's service neither learns of an erasure nor holds it up`() async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            try await world.live(ada)
            let ask =
                "begin; set local role recorder_service; set local recorder.user_id = '\(ben.id)'; select refuse_erased('\(ada.id)')"
            try await withConnection(world.database) { connection in
                try await connection.run(unsafeSQL: ask)
                let lock = "select id from users where id = '\(ada.id)' for update nowait"
                #expect(try await world.text(lock).count == 1)
                try await connection.run(unsafeSQL: "commit")
                _ = try await world.erase(ada)
                try await connection.run(unsafeSQL: "\(ask); commit")
            }
        }
    }
}
