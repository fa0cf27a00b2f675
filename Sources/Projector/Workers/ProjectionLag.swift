internal import EventModel
internal import Metrics
package import Schema

/// How far one version of a projection is behind the log: its shards taken together.
package struct ProjectionLag: Sendable {
    package let projection: ProjectionVersion
    /// Its shards, ascending.
    package let shards: [ProjectionStatus]
    /// Events per second given to all its shards together; `nil` if it was not measured.
    package var rate: Double? {
        let rates = shards.compactMap(\.rate)
        return rates.isEmpty ? nil : rates.reduce(0, +)
    }
    /// Events that its shards were given so far.
    package var events: Int64 { shards.reduce(0) { $0 + $1.events } }
    /// Committed events that they were not given.
    package var eventsBehind: Int { shards.reduce(0) { $0 + $1.eventsBehind } }
    /// How long the oldest of those has been stored.
    package var behind: Duration? { shards.compactMap(\.behind).max() }
    /// Shards that no living worker holds.
    package var unowned: [Int] { shards.filter { $0.owner == nil }.map(\.key.shard) }
    /// Streams in quarantine.
    package var stoppedStreams: Int { shards.reduce(0) { $0 + $1.stoppedStreams } }
    /// Why its SQL failed, if it does.
    package var error: String? { shards.lazy.compactMap(\.error).first }
    /// The processes that work on it.
    package var processes: [String] { Set(shards.compactMap(\.process)).sorted() }

    /// How long it takes to catch up at the measured rate; `nil` if that is unknown or it stands still.
    package var timeToCatchUp: Duration? { rate.flatMap { Duration(of: eventsBehind, at: $0) } }

    /// Whether it stands still though events wait.
    package var isStuck: Bool { shards.contains(where: \.isStuck) }

    /// Whether a person has to do something.
    package var isTroubled: Bool { !unowned.isEmpty || stoppedStreams > 0 || error != nil || isStuck }

    /// Groups shards by their projections.
    ///
    /// - Parameters:
    ///   - statuses: All shards of all projections.
    ///   - before: The same shards at an earlier time, to measure rates.
    ///   - elapsed: How long ago that was.
    package static func all(
        _ statuses: [ProjectionStatus],
        before: [ProjectionStatus]? = nil,
        elapsed: Duration = .zero
    ) -> [ProjectionLag] {
        let earlier = before.map { Dictionary($0.map { ($0.key, $0.events) }) { $1 } } ?? [:]
        let measured = statuses.map { status in
            var status = status
            if let events = earlier[status.key], elapsed > .zero {
                status.rate = Double(status.events - events) / (elapsed / .seconds(1))
            }
            return status
        }
        return Dictionary(grouping: measured, by: \.key.projection).map { projection, shards in
            ProjectionLag(projection: projection, shards: shards.sorted { $0.key < $1.key })
        }.sorted { $0.projection < $1.projection }
    }

    /// Reports the figures of each shard to swift-metrics.
    static func record(_ lags: [ProjectionLag]) {
        for status in lags.flatMap(\.shards) {
            for case (let label, let value?) in figures(of: status) { gauge(label, of: status).record(value) }
        }
        Gauge(label: "recorder_projection_measured_timestamp_seconds")
            .record(Double(Timestamp.now().microseconds) / 1_000_000)
    }

    /// Removes the figures of shards that nobody measures any more.
    static func forget(_ statuses: [ProjectionStatus]) {
        for status in statuses {
            for (label, _) in figures(of: status) { gauge(label, of: status).destroy() }
        }
    }

    private static func gauge(_ label: String, of status: ProjectionStatus) -> Gauge {
        let dimensions = [
            ("projection", status.key.projection.name), ("version", "\(status.key.projection.version)"),
            ("shard", "\(status.key.shard)"),
        ]
        return Gauge(label: "recorder_projection_\(label)", dimensions: dimensions)
    }

    private static func figures(of status: ProjectionStatus) -> [(label: String, value: Double?)] {
        let left = status.eventsBehind == 0 ? .zero : status.timeToCatchUp
        return [
            ("events_behind", Double(status.eventsBehind)),
            ("seconds_behind", (status.behind ?? .zero) / .seconds(1)),
            ("stopped_streams", Double(status.stoppedStreams)),
            ("events_per_second", status.rate),
            ("seconds_to_catch_up", status.rate.map { _ in left.map { $0 / .seconds(1) } ?? .infinity }),
            ("failing", status.error == nil ? 0 : 1),
            ("open_transactions", Double(status.openTransactions)),
            ("owned", status.owner == nil ? 0 : 1),
        ]
    }
}
