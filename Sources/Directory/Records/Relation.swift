/// Says how records of one kind belong to those of another: a column of each holds the same value.
public struct Relation<Record: StoredRecord, Other: StoredRecord>: Sendable {
    /// The column of the record.
    let near: String
    /// The column of the other records.
    let far: String

    init<Value, FarValue>(_ near: Column<Record, Value>, to far: Column<Other, FarValue>) {
        self.near = near.name
        self.far = far.name
    }
}

/// A record with the other records that belong to it.
public struct Related<Record: StoredRecord, Other: StoredRecord>: Sendable {
    /// The record.
    public let record: Record
    /// The records that belong to it, in their own order.
    public let others: [Other]
}

extension Relation where Record == User, Other == VoiceModel {
    /// A user's voices.
    public static var voiceModels: Relation { Relation(User.columns.id, to: VoiceModel.columns.userID) }
}

extension Relation where Record == User, Other == FaceModel {
    /// A user's faces.
    public static var faceModels: Relation { Relation(User.columns.id, to: FaceModel.columns.userID) }
}

extension Relation where Record == User, Other == KnowledgeDocument {
    /// A user's documents.
    public static var documents: Relation { Relation(User.columns.id, to: KnowledgeDocument.columns.userID) }
}

extension Relation where Record == User, Other == ConversationSession {
    /// A user's sessions.
    public static var sessions: Relation { Relation(User.columns.id, to: ConversationSession.columns.userID) }
}

extension Relation where Record == KnowledgeDocument, Other == User {
    /// A document's user.
    public static var user: Relation { Relation(KnowledgeDocument.columns.userID, to: User.columns.id) }
}

extension Relation where Record == VoiceModel, Other == User {
    /// A voice's user.
    public static var user: Relation { Relation(VoiceModel.columns.userID, to: User.columns.id) }
}

extension Relation where Record == ConversationSession, Other == ConversationTurn {
    /// A session's turns.
    public static var turns: Relation {
        Relation(ConversationSession.columns.id, to: ConversationTurn.columns.sessionID)
    }
}
