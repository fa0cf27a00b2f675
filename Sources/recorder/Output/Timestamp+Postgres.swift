import EventModel
import Postgres

extension Timestamp {
    /// Converts a moment of the database; nil for NULL.
    init?(_ moment: PostgresTimestamp?) {
        guard let moment else { return nil }
        self.init(microseconds: moment.unixMicroseconds)
    }
}
