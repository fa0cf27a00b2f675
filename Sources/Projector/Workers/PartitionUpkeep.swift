internal import Logging
internal import Postgres

/// Makes the partitions of the months to come, for the log and for read models that are partitioned by time.
///
/// What finds no partition goes to a default one and is as safe there, but is slower to write and cannot be detached.
struct PartitionUpkeep: Sendable {
    let configuration: PostgresConfiguration
    let logger: Logger

    /// How often to look. The log's partitions are made three months ahead and the read models' a year, so daemons may
    /// be away for long; every further one costs each wake-up a look into it.
    private static let interval = Duration.seconds(6 * 60 * 60)
    /// When to look again after a failure: a partition is not attached while somebody reads the log for long.
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

    /// Makes what is missing of one kind and returns the partitions' names. Each kind alone, and each month of the log:
    /// a lock on one must not undo the others', and appends wait while one is attached, not while all are.
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
