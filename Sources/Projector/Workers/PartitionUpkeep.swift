internal import Logging
internal import Postgres

/// Makes the partitions of the months to come, for the log and for read models that are partitioned by time.
///
/// Rows without a partition go to a default one. They are as safe there, but are slower to write and cannot be
/// detached.
struct PartitionUpkeep: Sendable {
    let configuration: PostgresConfiguration
    let logger: Logger

    /// How often to look. The log's partitions are made three months ahead and the read models' a year, so daemons may
    /// be away for long; each further partition costs every wake-up a lookup.
    private static let interval = Duration.seconds(6 * 60 * 60)
    /// When to look again after a failure: a partition cannot be attached during a long read of the log.
    private static let pause = Duration.seconds(60)

    /// Looks at once and then every few hours, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            var next = Self.interval
            do {
                let made = try await PostgresConnection.with(configuration, logger: logger) { connection in
                    var made: [String] = []
                    for month in 0...3 {
                        made += try await connection.query(MakePartitions(of: .log(monthsAhead: month)))
                    }
                    made += try await connection.query(MakePartitions(of: .readModels))
                    return made
                }
                if !made.isEmpty { logger.info("partitions are made", metadata: ["partitions": "\(made)"]) }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("partitions for the months to come were not made", metadata: ["error": "\(error)"])
                next = Self.pause
            }
            try? await Task.sleep(for: next)
        }
    }

    /// Makes the missing partitions of one kind and returns their names. Each kind and each month of the log goes
    /// alone: a lock on one must not undo the others, and appends wait only while one is attached.
    private struct MakePartitions: PostgresStatement {
        enum Kind { case log(monthsAhead: Int), readModels }

        let kind: Kind

        init(of kind: Kind) { self.kind = kind }

        var sql: String {
            switch kind {
            case .log(let months):
                "select create_events_partitions(day, day) from cast(now() + interval '\(months) months' as date) as day"
            case .readModels: "select create_time_partitions(now()::date, (now() + interval '12 months')::date)"
            }
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }
}
