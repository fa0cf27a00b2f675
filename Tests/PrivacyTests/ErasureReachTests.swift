import Cache
import EventModel
import EventStore
import Foundation
import Postgres
import Projector
import ReadModel
import RecorderTesting
import Schema
import Testing

@testable import Privacy

/// What an erasure takes from where a person's words end up beside their rows.
@Suite struct ErasureReachTests {
    @Test func `what the index of his documents knows of a person is gone too`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.run(
                """
                begin;
                update knowledge_documents set status = 'processing' where user_id = '\(ada.id)';
                update knowledge_documents set status = 'completed', chunk_count = 1, vector_ids = '{adavector}'
                where user_id = '\(ada.id)';
                select append_event('\(ada.id)', 'document.processed', '{}');
                commit
                """
            )
            #expect(try await world.shown().contains("adavector"))
            _ = try await world.erase(ada)
            #expect(try await !world.shown().contains("adavector"))
        }
    }

    @Test func `what an error quotes of a person is gone too, and others' errors of streams stay`() async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            for person in [ada, ben] { try await world.live(person) }
            try await world.project()
            for person in [ada, ben] {
                let row = """
                    '\(person.session)', gen_random_uuid(), 3, 'turn.transcribed', 'cannot fold \(person.words[0])'
                    """
                try await world.run(
                    """
                    insert into projection_quarantine
                        (projection, version, shard, stream_id, event_id, event_version, event_type, error)
                    values ('conversation_turns', 1, 0, \(row));
                    insert into projection_rebuild_quarantine
                        (projection, version, purpose, shard, stream_id, event_id, event_version, event_type, error)
                    values ('conversation_turns', 1, 'rebuild', 0, \(row));
                    update projection_checkpoints set error = 'cannot fold \(person.words[0])', error_at = now()
                    where projection = '\(person.words == ada.words ? "conversation_turns" : "audit_logs")'
                    """
                )
            }
            _ = try await world.erase(ada)
            for table in ["projection_quarantine", "projection_rebuild_quarantine"] {
                let errors = try await world.text("select stream_id, error from \(table)")
                let (her, his) = (ada.session.description, ben.session.description)
                #expect(errors.first { $0[0] == her }?[1] == "erased", "\(table)")
                #expect(errors.first { $0[0] == his }?[1]?.contains(ben.words[0]) == true, "\(table)")
            }
            // Whose words a shard's error quotes nobody knows.
            let failed = try await world.text(
                "select distinct error from projection_checkpoints where error is not null"
            )
            #expect(failed.count == 1)
            #expect(failed.allSatisfy { $0[0]?.contains("took the reason away") == true }, "\(failed)")
        }
    }
}
