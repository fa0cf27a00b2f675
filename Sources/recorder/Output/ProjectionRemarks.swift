import EventStore
import Projector
import Schema

/// What keeps projections behind, in words with what to do about it: a remark for each cause.
enum ProjectionRemarks {
    /// The database refuses to be written to, so that no process can say that it lives.
    static let muted =
        "the database refuses to be written to (transaction_read_only is on): no projector can work there"

    /// The log came from another cluster; `nil` if nothing shows that.
    static func restored(_ evidence: [RestoredLog.Evidence]) -> String? {
        guard !evidence.isEmpty else { return nil }
        return "the log was restored from a dump of another cluster, so that nothing is projected and nothing "
            + "appended: \(evidence.map(\.detail).joined(separator: "; ")). Run `recorder repair restored-log`"
    }

    /// Nobody works on shards; nothing if all have an owner.
    ///
    /// - Parameter carried: The projections that the program brings with it; the others have a folder of somebody's.
    static func unowned(_ lags: [ProjectionLag], carried: Set<ProjectionVersion>) -> [String] {
        lags.filter { !$0.unowned.isEmpty }.map { lag in
            let shards = lag.unowned.map(String.init).joined(separator: ", ")
            let advice =
                carried.contains(lag.projection)
                ? "`recorder project`"
                : "`recorder project --projections DIR` with the folder that holds this projection"
            return "\(lag.projection): nobody works on shards \(shards): start \(advice)"
        }
    }

    /// A process that may still run says nothing.
    static func silent(_ process: SilentProcess) -> String {
        let seconds = Figures.decimal(process.silence / .seconds(1), digits: 0) ?? "?"
        return "\(process.name) was last heard of \(seconds) s ago: if it still runs, see its log"
    }

    /// A transaction that has written does not end.
    static func open(_ transaction: OpenTransaction) -> String {
        let place = transaction.database.map { " in database \($0)" } ?? ""
        let seconds = Figures.decimal(transaction.age / .seconds(1), digits: 0) ?? "?"
        return "process \(transaction.process)\(place) has had a writing transaction open for \(seconds) s: it delays "
            + "nobody's events, and each read looks its number up"
    }

    /// A projection's SQL fails, or it stands still for another reason; and it is further behind than it may be.
    ///
    /// - Parameter maxBehind: How many seconds it may be behind; any number if `nil`.
    static func troubles(of lag: ProjectionLag, maxBehind: Double?) -> [String] {
        var troubles: [String] = []
        if let error = lag.error {
            troubles.append(error)
        } else if lag.isStuck {
            troubles.append("events wait, and nothing has moved for more than 30 s: see the log of its processes")
        }
        if lag.isBehind(moreThan: maxBehind),
            let behind = Figures.decimal(lag.behind.map { $0 / .seconds(1) }, digits: 1)
        {
            troubles.append("\(behind) s behind, which is more than --max-behind")
        }
        return troubles.map { "\(lag.projection): \($0)" }
    }
}

extension ProjectionLag {
    /// Whether an event has waited for longer than so many seconds; never for longer than `nil`.
    func isBehind(moreThan seconds: Double?) -> Bool {
        guard let seconds, let behind else { return false }
        return behind > .seconds(seconds)
    }
}
