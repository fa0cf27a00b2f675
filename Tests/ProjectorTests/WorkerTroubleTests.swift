import EventModel
import EventStore
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Projector

/// What a worker does about trouble that may pass.
@Suite(.timeLimit(.minutes(5))) struct WorkerTroubleTests {
    @Test func `a worker outlasts a lock that also keeps it from looking for whom to blame`() async throws {
        try await withTestDatabase { database in
            let hand = try await WorkerByHand(database, only: "conversation_turns")
            let fleet = hand.fleet()
            try await fleet.join()
            var worker = hand.worker(of: fleet)
            worker.connection = hand.connection
            try await hand.connection.set("lock_timeout", to: "50ms")
            try await withConnection(database) { holder in
                try await holder.run(unsafeSQL: "begin; lock table projection_checkpoints in access exclusive mode")
                let error = try await #require(throws: PostgresError.self) {
                    try await worker.settleOwnership(on: hand.connection)
                }
                #expect(error.isLockTimeout)
                try await worker.recover(from: error, since: .now, isPatient: false)
                try await holder.run(unsafeSQL: "rollback")
            }
            #expect(worker.connection?.isOpen == true)
            try await worker.settleOwnership(on: hand.connection)
            #expect(worker.owned.count == hand.keys.count)
            await fleet.leave()
            await hand.connection.close()
        }
    }
}
