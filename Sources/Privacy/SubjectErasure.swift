package import Cache
package import EventModel
package import EventStore
internal import FoundationEssentials
package import Logging
package import Postgres
internal import Projector
package import Schema

/// Erases a person: destroys their keys, then blanks everything that was derived from what the keys sealed.
///
/// Each step is a transaction, or can be run again; the table `erasures` records how far an erasure has come. If it is
/// killed at any point, the next run for the same person continues it, and its certificate counts all runs together.
package struct SubjectErasure: Sendable {
    /// The steps, in their order. Keys come first: after that, nothing that is blanked comes back.
    package enum Step: String, Sendable, CaseIterable {
        case keys, entities, caches, readModels, errors, objects, certificate
    }

    /// How long to wait for a rebuild or verification that compares read models.
    private static let patience = Duration.seconds(600)

    /// The folder of a person's objects in the object store, as `Caches.md` defines it, and the folder if someone wrote
    /// the id in capitals; the second is left out for an id without letters.
    static func objectFolders(of user: StreamID) -> [String] {
        let (folder, capitals) = (ObjectName.folder(of: user.uuid), ObjectName.capitalFolder(of: user.uuid))
        return folder == capitals ? [folder] : [folder, capitals]
    }

    private let subject: StreamID
    private let actor: String
    private let schema: String
    private let pool: PostgresPool
    private let store: PostgresEventStore
    private let files: [ProjectionFiles]
    private let objects: (any ObjectStore)?
    private let logger: Logger

    /// - Parameters:
    ///   - subject: The user.
    ///   - actor: Who erases them; named in the events and in the certificate.
    ///   - pool: Connections of a role that is a member of `recorder_owner`.
    ///   - schema: The recorder's schema.
    ///   - store: The log.
    ///   - files: All projections whose tables may exist.
    ///   - objects: The store of the user's objects, if there is one.
    package init(
        of subject: StreamID,
        actor: String,
        pool: PostgresPool,
        schema: String = "recorder",
        store: PostgresEventStore,
        projections files: [ProjectionFiles],
        objects: (any ObjectStore)? = nil,
        logger: Logger = Logger(label: "recorder.erasure")
    ) {
        self.subject = subject
        self.actor = actor
        self.pool = pool
        self.schema = schema
        self.store = store
        self.files = files
        self.objects = objects
        self.logger = logger
    }

    /// Erases the person, or continues an erasure that was cut off.
    ///
    /// - Parameters:
    ///   - evenIfUnknown: Whether to accept a person who is not known here; their key is then destroyed before it
    ///     exists.
    ///   - progress: Called before each step.
    /// - Returns: The certificate.
    /// - Throws: ``PrivacyError`` with `.held`, before anything was changed, or before the next step if the hold came
    ///   later; `.notFound` if the id is nobody's or a session's; `.failed`; `ProjectorError` if a read model cannot be
    ///   blanked; `CacheError` if objects cannot be removed; `CancellationError`.
    package func run(
        evenIfUnknown: Bool = false,
        _ progress: @Sendable (Step) -> Void = { _ in }
    ) async throws -> ErasureCertificate {
        guard let certificate = try await run(for: evenIfUnknown ? .requestForUnknown : .request, progress) else {
            throw PrivacyError(.failed, "the erasure could not be begun")
        }
        return certificate
    }

    /// Does the same if the person's retention period has ended, or their erasure was cut off, and that still holds.
    ///
    /// - Returns: The certificate; `nil` if nothing is left to do.
    /// - Throws: As ``run(evenIfUnknown:_:)``.
    package func runIfDue(_ progress: @Sendable (Step) -> Void = { _ in }) async throws -> ErasureCertificate? {
        try await run(for: .retention, progress)
    }

    private func run(
        for reason: BeginErasure.Reason,
        _ progress: @Sendable (Step) -> Void
    ) async throws -> ErasureCertificate? {
        do {
            let concerned = try await pool.withConnection { connection in
                try await ReadModelErasure(schema: schema).concerned(among: files, on: connection)
            }
            guard let id = try await begin(for: reason) else { return nil }
            for step in Step.allCases.dropLast() {
                try Task.checkCancellation()
                progress(step)
                _ = try await pool.first(RefuseHeld(subject: subject))
                try await run(step, concerned)
            }
            progress(.certificate)
            return try await certify(id)
        } catch let error as PostgresError {
            throw PrivacyError(error, Self.reason(of: error, erasing: subject))
        }
    }

    /// Begins the erasure; if there is an object store, the same transaction records that objects must be removed.
    private func begin(for reason: BeginErasure.Reason) async throws -> Int64? {
        let begin = BeginErasure(subject: subject, actor: actor, reason: reason)
        let requirement = objects == nil ? nil : RequireObjectRemoval(subject: subject)
        return try await pool.transaction(retries: 20) { connection in
            guard let id = try await connection.first(begin) ?? nil else { return nil }
            if let requirement { _ = try await connection.execute(requirement) }
            return id
        }
    }

    private static func reason(of error: PostgresError, erasing subject: StreamID) -> String {
        if error.isPermissionDenied {
            "\(subject) cannot be erased by this login: take one that is a member of recorder_owner"
        } else if error.sqlState?.hasPrefix("23") == true {
            "the erasure of \(subject) cannot go on: a row stands in its way; put that right, and run it again"
        } else {
            "the erasure of \(subject) was cut off; run it again to go on with it"
        }
    }

    private func run(_ step: Step, _ concerned: [ProjectionFiles]) async throws {
        switch step {
        case .keys:
            try await recordAuditHead(as: "audit_head_before", onlyOnce: true)
            try await destroyKeys()
        case .entities:
            try await transaction(ErasureStep(function: "erase_entities", subject: subject, actor: actor))
            try await pool.withConnection { try? await $0.wakeProjectors() }
        case .caches: try await transaction(ErasureStep(function: "erase_caches", subject: subject))
        case .readModels:
            try await pool.withConnection { connection in
                for projection in concerned {
                    try await ReadModelErasure(schema: schema).run(projection, subject: subject, on: connection)
                }
            }
            try await recordAuditHead(as: "audit_head_after", onlyOnce: false)
        case .errors: try await transaction(ErasureStep(function: "erase_errors", subject: subject))
        case .objects:
            guard let objects else {
                guard try await pool.first(IsObjectRemovalDue(subject: subject)) == true else { return }
                throw PrivacyError(
                    .invalid,
                    "the erasure of \(subject) was begun with objects, which are not removed yet: name their place, --objects"
                )
            }
            var removed = 0
            for folder in Self.objectFolders(of: subject) { removed += try await objects.removeAll(prefix: folder) }
            try await pool.execute(CountErased(subject: subject, name: "objects", count: removed))
        case .certificate: break
        }
    }

    /// Destroys the keys once nobody is building read models from what they opened.
    ///
    /// A comparing rebuild or verification takes as long as it needs. The wait is split into attempts of some seconds,
    /// so that other builders can go on.
    private func destroyKeys() async throws {
        let end = ContinuousClock.now + Self.patience
        var isFirst = true
        while true {
            do {
                return try await transaction(ErasureStep(function: "erase_keys", subject: subject))
            } catch let error as PostgresError where error.isLockTimeout {
                guard .now < end else {
                    throw PrivacyError(
                        .failed,
                        "the keys of \(subject) are not destroyed yet: a rebuild or a verification is comparing read models "
                            + "that were made with them. Run the erasure again when it is done",
                        cause: error
                    )
                }
                if isFirst { logger.notice("the erasure waits for those who build read models") }
                isFirst = false
                try await Task.sleep(for: .milliseconds(Int.random(in: 500...1_500)))
            }
        }
    }

    /// Runs a step in a transaction, with retries after conflicts.
    private func transaction(_ step: ErasureStep) async throws {
        _ = try await pool.transaction(retries: 20) { try await $0.first(step) }
    }

    /// Records the head of the person's audit chain, if there is an audit log.
    private func recordAuditHead(as name: String, onlyOnce: Bool) async throws {
        guard try await pool.first(HasAuditChains()) == true else { return }
        try await pool.execute(RecordAuditHead(subject: subject, name: name, onlyOnce: onlyOnce))
    }

    private func certify(_ id: Int64) async throws -> ErasureCertificate {
        let streams = try await pool.query(SelectStreams(subject: subject))
        let unsealed = try await store.countUnsealed(in: streams)
        guard let facts = try await pool.first(SelectFacts(id: id, subject: subject)) else {
            throw PrivacyError(.failed, "erasure \(id) is not there any more")
        }
        let certificate = ErasureCertificate(facts, streams: streams.count, unsealedEvents: unsealed)
        if facts.readableEvents > 0 {
            logger.error("\(facts.readableEvents) events of erased streams are sealed under others' keys")
        }
        guard let stored = try await pool.first(FinishErasure(id: id, certificate: certificate.json)) else {
            throw PrivacyError(.failed, "erasure \(id) is not there any more")
        }
        return certificate.stored(as: stored)
    }
}
