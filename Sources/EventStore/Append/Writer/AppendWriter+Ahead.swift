internal import EventModel
internal import Postgres

/// What a writer knows of the groups before and after the one that the server is storing.
struct AppendLookout: Sendable {
    /// A group that was stored and not reported yet: how many events it had, and how its appends ended.
    var stored: (events: Int, settlements: [AppendSettlement])?
    /// How many events the group had that was reported last. Producers that wait for each acknowledgement hand over as
    /// many again, soon.
    fileprivate var reported = 0
    /// The next group, taken from the queue already. It is decided only if nothing must be read before.
    var next: AppendAttempt?
    /// Raised when the queue holds as many events as were reported; `nil` if the process has no file descriptor left.
    fileprivate let bell = try? WakeSignal()
}

/// Decides about the next group while the server stores this one, so that it can be sent when the answer comes.
///
/// That is for producers that wait for each acknowledgement and share one writer. With more to write, two writers do
/// the same for each other.
extension AppendWriter {
    /// With fewer events, a group costs too little for this to pay.
    private static let fewEvents = 9

    /// Reports what was stored, if that was not done yet.
    mutating func reportStored() {
        guard let stored = lookout.stored.take() else { return }
        lookout.reported = stored.events
        onStored(stored.events)
        onSettled(stored.settlements)
    }

    /// Waits until those who were told last have handed over their next events, and decides about these; gives up when
    /// the answer comes first.
    mutating func lookAhead(while answer: borrowing PendingAnswer) {
        guard let bell = lookout.bell, lookout.next == nil else { return }
        guard (Self.fewEvents...AppendQueue.mostEventsTogether).contains(lookout.reported) else { return }
        guard heads.areAll, !heads.areTooMany, blocked.isEmpty else { return }
        if !queue.has(lookout.reported, orRaises: bell) {
            let isRung = answer.isPreceded(by: bell)
            queue.forgetBell()
            bell.clear()
            guard isRung else { return }
        }
        let requests = queue.takeMore(upTo: limits.groupSize, heads: heads).flatMap(\.requests)
        guard !requests.isEmpty else { return }
        lookout.next = AppendAttempt(requests, decided: decide(requests))
    }

    /// Decides about a group without asking the database; `nil` if that is not possible, or nothing of it can be stored
    /// now.
    private mutating func decide(_ requests: [AppendRequest]) -> AppendAttempt.Decided? {
        guard !areOlder(requests), unknownTypes(of: requests).isEmpty, unknownStreams(of: requests).isEmpty else {
            return nil
        }
        let round = AppendRound(requests, heads: &heads, types: types, fresh: [])
        return round.count > 0 ? (round, round.statement) : nil
    }
}
