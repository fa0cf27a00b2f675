internal import EventModel
internal import Postgres

/// A group that is being written: what is still open, what was read for it, and how often it failed.
struct AppendAttempt {
    /// The requests that are not settled.
    var open: [AppendRequest]
    /// What was decided about them while the group before was being stored.
    var decided: Decided?
    /// The streams that were just read for it.
    var fresh: Set<StreamID> = []
    /// The streams that must be read before the next decision.
    var stale: Set<StreamID> = []
    /// How often it lost a race against other writers.
    var conflicts = 0
    /// How often it waited in vain for another session's transaction.
    var lockWaits = 0
    /// Whether the server refused it before.
    var wasRefused = false

    /// Whether others were taken with these requests that are still to be written, and come before the next group.
    let isPart: Bool

    /// A round, with the statement that stores it.
    typealias Decided = (round: AppendRound, statement: InsertEvents)

    init(_ group: [AppendRequest], decided: Decided? = nil, isPart: Bool = false) {
        (open, self.decided, self.isPart) = (group, decided, isPart)
    }

    /// Has the group decided again on what is known by then.
    mutating func decideAgain() { (fresh, stale) = ([], []) }

    /// Has all its streams read, and the group decided again on what they hold.
    mutating func readAgain() {
        fresh = []
        stale = Set(open.lazy.flatMap(\.parts).map(\.stream))
    }
}

/// Why a group was not stored, or may not have been.
enum AppendFault {
    /// Another writer got a version first, or the two conflicted.
    case lostRace
    /// Another session's open transaction has appended to a stream, or created a type.
    case blocked
    /// Another session has locked a whole table.
    case locked
    /// The server is away, or ended the session.
    case unreachable
    case cancelled
    /// The server does not want it.
    case refused

    init(_ error: any Error) {
        switch error {
        case let error as PostgresError where error.isTransactionConflict || error.isTakenVersion: self = .lostRace
        case let error as PostgresError where error.isLockTimeout: self = error.waitedForRow ? .blocked : .locked
        case let error as PostgresError where error.isRetryable || error.code == .closed: self = .unreachable
        case is CancellationError: self = .cancelled
        default: self = .refused
        }
    }
}

extension PostgresError {
    /// Whether the event's version is already taken, according to the primary key of a partition (partitions are named
    /// after the log).
    fileprivate var isTakenVersion: Bool {
        sqlState == "23505" && constraint?.hasSuffix("_pkey") == true && table?.hasPrefix("events") == true
    }

    /// Whether the wait was for a transaction that has written a row. The server then says where the row is, such as
    /// `while inserting index tuple (0,1) in relation "events_default_pkey"`, in its own language; for a lock on a
    /// table it says nothing.
    ///
    /// Source: `XactLockTableWaitErrorCb` in PostgreSQL's `src/backend/storage/lmgr/lmgr.c`.
    fileprivate var waitedForRow: Bool { context?.contains(/\(\d+,\d+\)/) == true }
}
