/// The channel on which appenders announce new events.
///
/// Channels belong to a whole database, so the name starts with the schema's name.
package enum LogChannel {
    static let suffix = "_events"

    /// The channel of the log in a schema.
    package static func name(schema: String) -> String { schema + suffix }
}
