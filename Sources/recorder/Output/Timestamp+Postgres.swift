import EventModel
import Postgres

extension Timestamp {
    /// A moment as the database has it; nil for NULL.
    init?(_ moment: PostgresTimestamp?) {
        guard let moment else { return nil }
        self.init(microseconds: moment.unixMicroseconds)
    }
}
