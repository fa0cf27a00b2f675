/// The repositories of one user: whatever is read or changed through them is that user's.
public struct Repositories: Sendable {
    let context: any RepositoryContext

    init(context: any RepositoryContext) { self.context = context }

    /// The user.
    public var users: some Repository<User> { TableRepository<User>(context) }

    /// The user's voices.
    public var voiceModels: some Repository<VoiceModel> { TableRepository<VoiceModel>(context) }

    /// The user's faces.
    public var faceModels: some Repository<FaceModel> { TableRepository<FaceModel>(context) }

    /// The user's documents.
    public var documents: some Repository<KnowledgeDocument> { TableRepository<KnowledgeDocument>(context) }

    /// The user's sessions.
    public var sessions: some ReadRepository<ConversationSession> { TableRepository<ConversationSession>(context) }

    /// The turns of the user's sessions.
    public var turns: some ReadRepository<ConversationTurn> { TableRepository<ConversationTurn>(context) }

    /// What was done to the user and to what is theirs, and what was refused.
    public var auditLog: some ReadRepository<AuditRecord> { TableRepository<AuditRecord>(context) }

    /// Runs several calls in one transaction: all take effect, or none.
    ///
    /// The events of the changes are appended in it. Inside another transaction, it is that one.
    ///
    /// - Parameter body: Gets the repositories of the transaction, which take no call behind its end. It
    ///   runs again if the transaction lost against another one. A call in it that fails, for whatever
    ///   reason, ends the transaction, also if `body` catches the error: later calls throw it again. That
    ///   holds for a transaction inside this one, too.
    /// - Throws: What `body` throws, after everything was undone; the error of the first call that failed, if `body`
    ///   caught it; ``DirectoryError``, with `.transactionOver` if `body` did not wait for a call; `CancellationError`.
    public func transaction<R: Sendable>(_ body: @Sendable (Repositories) async throws -> R) async throws -> R {
        try await context.call {
            try await context.write { transaction in try await body(Repositories(context: transaction)) }
        }
    }
}
