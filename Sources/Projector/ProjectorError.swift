internal import Postgres
package import Schema

/// What went wrong in `Projector`: a code to switch on, and a message that a person can act on.
package struct ProjectorError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    package enum Code: String, Sendable {
        /// A projection's folder breaks the contract.
        case invalidProjection
        /// A projection cannot apply an event, and the projector was told to halt on that.
        case failingEvent
        /// A projection's SQL fails whatever the event is.
        case projectionFailed
        /// A projection's SQL waits for a lock that somebody holds for long.
        case projectionWaits
        /// The checkpoints of a projection do not agree on how many shards it has.
        case mixedShards
        /// Another worker has taken over what this one held.
        case leaseLost
        /// A rebuilt model differs from the live one; ``ProjectorError/comparison`` says how.
        case modelsDiffer
        /// A shadow was moved, cancelled or overtaken by another process.
        case rebuildMoved
        /// A version was never brought to the head of the log.
        case notBuilt
        /// Readers hold locks that a swap waits for in vain.
        case readersInTheWay
        /// The log was restored into a younger cluster.
        case restoredLog
    }

    /// The kind of failure.
    package let code: Code
    /// What failed, why, and what to do. Never holds payloads or bound values.
    package let message: String
    /// The error that led to this one, if another layer reported it.
    package let cause: (any Error)?
    /// The projection that it is about.
    package let projection: ProjectionVersion?
    /// The result of the comparison, with `.modelsDiffer`.
    package let comparison: ModelComparison?

    package init(
        _ code: Code,
        _ message: String,
        cause: (any Error)? = nil,
        projection: ProjectionVersion? = nil,
        comparison: ModelComparison? = nil
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        self.projection = projection
        self.comparison = comparison
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}

extension ProjectorError {
    /// This worker no longer owns a checkpoint, or the checkpoint is no longer where the worker left it.
    static let leaseLost = ProjectorError(
        .leaseLost,
        "a shard is not this worker's any more, or a rebuild has swapped its model: the batch was rolled back and begins anew"
    )

    /// A projection's SQL fails whatever the events are.
    static func applyFails(_ projection: ProjectionFiles, cause: PostgresError) -> ProjectorError {
        ProjectorError(
            .projectionFailed,
            "apply.sql of \(projection.id) fails",
            cause: cause,
            projection: projection.id
        )
    }

    /// A projection's SQL waits for a lock in vain.
    static func applyWaits(_ projection: ProjectionFiles, cause: PostgresError) -> ProjectorError {
        ProjectorError(
            .projectionWaits,
            "apply.sql of \(projection.id) waits for a lock",
            cause: cause,
            projection: projection.id
        )
    }

    /// The same error with who holds the lock.
    func naming(_ holders: [LockHolder]) -> ProjectorError {
        guard !holders.isEmpty else { return self }
        let names = holders.map { "process \($0.process) has \($0.table) (\($0.mode))" }.joined(separator: ", ")
        return ProjectorError(code, "\(message): \(names)", cause: cause, projection: projection)
    }
}
