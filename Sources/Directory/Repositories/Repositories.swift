/// The repositories of one user: everything read or changed through them is that user's.
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

    /// What was done to the user and their data, and what was refused.
    public var auditLog: some ReadRepository<AuditRecord> { TableRepository<AuditRecord>(context) }

    /// Runs several calls in one transaction: all take effect, or none.
    ///
    /// The events of the changes are appended in it. Inside another transaction, the calls join that one.
    ///
    /// - Parameter body: Gets the transaction's repositories, which accept no calls after it ends. It runs again after
    ///   a conflict with another transaction. A call in it that fails, for whatever reason, ends the transaction even
    ///   if `body` catches the error: later calls throw it again. So does a transaction inside this one that fails.
    /// - Throws: What `body` throws, after everything is undone; the error of the first call that failed, if `body`
    ///   caught it; ``DirectoryError``, with `.transactionOver` if `body` did not wait for a call; `CancellationError`.
    public func transaction<R: Sendable>(_ body: @Sendable (Repositories) async throws -> R) async throws -> R {
        try await context.call {
            try await context.write { transaction in try await body(Repositories(context: transaction)) }
        }
    }
}
