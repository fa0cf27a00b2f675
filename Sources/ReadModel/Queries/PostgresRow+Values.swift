internal import EventModel
internal import FoundationEssentials
internal import Postgres

/// Decodes columns to the types of the read models.
extension PostgresRow {
    /// A moment, or nil for NULL.
    func moment(at column: Int) throws(PostgresError) -> Timestamp? {
        try decode(PostgresTimestamp?.self, at: column).map { Timestamp(microseconds: $0.unixMicroseconds) }
    }

    /// An amount of money, or nil for NULL.
    func money(at column: Int) throws(PostgresError) -> Money? {
        guard let value = try decode(PostgresDecimal?.self, at: column) else { return nil }
        guard let money = Money(value.description) else {
            throw PostgresError(.decoding, "column \(column + 1) holds \(value), which is no amount of money")
        }
        return money
    }

    /// The id of a stream, or nil for NULL.
    func stream(at column: Int) throws(PostgresError) -> StreamID? {
        try decode(UUID?.self, at: column).map(StreamID.init)
    }

    /// A value of a type, given by its raw text.
    func word<Word: RawRepresentable>(at column: Int) throws(PostgresError) -> Word where Word.RawValue == String {
        let text = try decode(String.self, at: column)
        guard let word = Word(rawValue: text) else {
            throw PostgresError(.decoding, "column \(column + 1) holds '\(text)', which this program does not know")
        }
        return word
    }

    /// A JSON value, or nil for NULL.
    func json(at column: Int) throws(PostgresError) -> JSONValue? {
        guard let value = try decode(PostgresJSON?.self, at: column) else { return nil }
        do throws(EventModelError) {
            return try JSONValue(json: value.bytes)
        } catch {
            throw PostgresError(.decoding, "column \(column + 1) holds JSON that cannot be read: \(error.message)")
        }
    }
}

extension PostgresTimestamp {
    /// The same moment in the server's form.
    init(_ moment: Timestamp) { self.init(unixMicroseconds: moment.microseconds) }
}
