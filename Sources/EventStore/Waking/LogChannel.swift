/// The channel on which appenders say that there is something new.
///
/// Channels belong to a whole database, so a schema's has the schema's name in front.
package enum LogChannel {
    static let suffix = "_events"

    /// The channel of the log in a schema.
    package static func name(schema: String) -> String { schema + suffix }
}
